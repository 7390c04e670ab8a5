// Compares two schemas and finds the operations that each change breaks.
import { ChangeType, CriticalityLevel, diff } from '@graphql-inspector/core';
import { isRequiredArgument, isRequiredInputField, Kind, validate } from 'graphql';
import { parts, usage } from './usage.mjs';

/**
 * Returns the breaking and the dangerous changes, each with its path, its message and the operations that
 * it affects, and the operations that are no longer valid for another reason.
 */
export async function compare(released, schema, operations) {
  const known = operations.map((operation) => {
    // Each operation of a document is validated separately.
    const alone = { kind: Kind.DOCUMENT, definitions: parts(operation.document, operation.operation) };
    const [before, after] = [validate(released, alone), validate(schema, alone)];
    return { ...operation, errors: before.length === 0 ? after : [], used: usage(released, operation) };
  });
  const changes = await diff(released, schema);
  const changesOf = (level, affects) =>
    changes
      .filter((change) => levelOf(change, released, schema) === level)
      .map((change) => ({
        path: change.path ?? 'schema',
        message: change.message,
        operations: known.filter((operation) => affects(change, operation)),
      }));
  const breaking = changesOf(CriticalityLevel.Breaking, breaks);
  const named = new Set(breaking.flatMap((change) => change.operations));
  return {
    breaking,
    dangerous: changesOf(CriticalityLevel.Dangerous, mayAffect),
    invalid: known.filter((operation) => operation.errors.length > 0 && !named.has(operation)),
  };
}

/**
 * Returns the level that the library gives a change, with two corrections. A non-null argument or input
 * field that has lost its default is required now, which is breaking. If the release had no guards at all,
 * a guard only shows a requirement that the field may have had before.
 */
function levelOf({ type, path, criticality }, released, schema) {
  if (path?.includes('.@guard') && !released.getDirective('guard')) return CriticalityLevel.NonBreaking;
  const [owner, name, argument] = path?.split('.') ?? [];
  const members = () => schema.getType(owner).getFields();
  const required =
    (type === ChangeType.InputFieldDefaultValueChanged && isRequiredInputField(members()[name])) ||
    (type === ChangeType.FieldArgumentDefaultChanged &&
      isRequiredArgument(members()[name].args.find((one) => one.name === argument)));
  return required ? CriticalityLevel.Breaking : criticality.level;
}

function breaks({ type, path = '' }, { used, errors }) {
  const invalid = errors.length > 0;
  const owner = path.split('.').slice(0, -1).join('.');
  switch (type) {
    // Even a valid operation breaks: a field is missing, or null where it was never null.
    case ChangeType.FieldRemoved:
    case ChangeType.FieldTypeChanged:
      return used.reads.has(path);
    // The document does not show the values of its variables, so every possible value counts.
    case ChangeType.InputFieldAdded:
    case ChangeType.InputFieldDefaultValueChanged:
      return used.sends.has(owner) || (used.writes.has(owner) && invalid);
    case ChangeType.InputFieldRemoved:
    case ChangeType.InputFieldTypeChanged:
    case ChangeType.EnumValueRemoved:
      return used.sends.has(path) || (used.writes.has(path) && invalid);
    case ChangeType.FieldArgumentAdded:
    case ChangeType.FieldArgumentDefaultChanged:
    case ChangeType.FieldArgumentRemoved:
    case ChangeType.FieldArgumentTypeChanged:
      return used.reads.has(owner) && invalid;
    // For types, kinds, directives and roots, validating the document is enough.
    default:
      return invalid && mentions(used, path);
  }
}

/** Whether an operation may receive a new enum value, or depend on a changed default or guard. */
function mayAffect({ type, path: change = '' }, { used }) {
  const [path] = change.split('.@');
  const owner = path.split('.').slice(0, -1).join('.');
  if (type === ChangeType.EnumValueAdded) return used.reads.has(owner);
  return mentions(used, path) || mentions(used, owner);
}

function mentions({ reads, writes, sends }, coordinate) {
  return reads.has(coordinate) || writes.has(coordinate) || sends.has(coordinate);
}
