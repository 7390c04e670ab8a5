// Replaces prettier plugins that the playground does not use.
export const printers = {};
export const parsers = {};
