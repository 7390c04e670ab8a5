export const printers = {};
export const parsers = {};
