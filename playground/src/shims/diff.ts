// Replaces the parts of the editor that compare two texts. The playground compares none.
export class DiffEditorWidget {}
export class MultiDiffEditorWidget {}
export const linesDiffComputers = {};
