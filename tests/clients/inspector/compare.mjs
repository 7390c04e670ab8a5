// What has changed between two schemas, and which operations each change breaks.
import { ChangeType, CriticalityLevel, diff } from '@graphql-inspector/core';
import { isRequiredArgument, isRequiredInputField, Kind, validate } from 'graphql';
import { parts, usage } from './usage.mjs';

/**
 * The breaking changes and the dangerous ones, each with its path, its reason and the operations that
 * it touches; and the operations that are not valid any more for a reason of their own.
 */
export async function compare(released, schema, operations) {
  const known = operations.map((operation) => {
    // An operation of a document of several counts by itself.
    const alone = { kind: Kind.DOCUMENT, definitions: parts(operation.document, operation.operation) };
    const [was, errors] = [validate(released, alone), validate(schema, alone)];
    return { ...operation, errors: was.length === 0 ? errors : [], used: usage(released, operation) };
  });
  const changes = await diff(released, schema);
  const told = (level, touches) =>
    changes
      .filter((change) => levelOf(change, schema) === level)
      .map((change) => ({
        path: change.path ?? 'schema',
        message: change.message,
        operations: known.filter((operation) => touches(change, operation)),
      }));
  const breaking = told(CriticalityLevel.Breaking, breaks);
  const named = new Set(breaking.flatMap((change) => change.operations));
  return {
    breaking,
    dangerous: told(CriticalityLevel.Dangerous, concerns),
    invalid: known.filter((operation) => operation.errors.length > 0 && !named.has(operation)),
  };
}

/**
 * The library's level, but for one thing: what cannot be null and has lost its default has to be given
 * from now on.
 */
function levelOf({ type, path, criticality }, schema) {
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
    // Valid or not: what was promised does not come, or is null where it never was.
    case ChangeType.FieldRemoved:
    case ChangeType.FieldTypeChanged:
      return used.reads.has(path);
    // Variables come with a request, so nothing in the document tells what will be in them.
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
    // Types, kinds, directives, roots: the document tells all of it.
    default:
      return invalid && mentions(used, path);
  }
}

/** Who may be surprised: a value that is new to it, a default that is another. */
function concerns({ type, path = '' }, { used }) {
  const owner = path.split('.').slice(0, -1).join('.');
  if (type === ChangeType.EnumValueAdded) return used.reads.has(owner);
  return mentions(used, path) || mentions(used, owner);
}

function mentions({ reads, writes, sends }, coordinate) {
  return reads.has(coordinate) || writes.has(coordinate) || sends.has(coordinate);
}
