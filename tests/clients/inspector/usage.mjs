// What an operation has to do with a schema, as coordinates: `Tenant.slug`, `Tenant.members.first`,
// `UpdateTenantInput.name`, `Plan.FREE`.
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  Kind,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/**
 * What it reads (fields, and the values that come in them), what it writes in its text (arguments and
 * their values), and what it can send in its variables.
 */
export function usage(schema, { document, operation }) {
  const used = { reads: new Set(), writes: new Set(), sends: new Set() };
  const info = new TypeInfo(schema);
  const look = visitWithTypeInfo(info, {
    Field() {
      const [parent, field] = [info.getParentType(), info.getFieldDef()];
      // A field that the schema does not have is newer than it.
      if (!parent || !field) return;
      const types = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
      for (const { name } of types) used.reads.add(name).add(`${name}.${field.name}`);
      const type = getNamedType(field.type);
      used.reads.add(type.name);
      for (const { name } of isEnumType(type) ? type.getValues() : []) {
        used.reads.add(`${type.name}.${name}`);
      }
    },
    Argument({ name }) {
      const [parent, field] = [info.getParentType(), info.getFieldDef()];
      if (parent && field && !info.getDirective()) {
        used.writes.add(`${parent.name}.${field.name}.${name.value}`);
      }
    },
    ObjectField({ name }) {
      const type = getNamedType(info.getParentInputType());
      if (type) used.writes.add(type.name).add(`${type.name}.${name.value}`);
    },
    EnumValue({ value }) {
      const type = getNamedType(info.getInputType());
      if (type) used.writes.add(type.name).add(`${type.name}.${value}`);
    },
  });
  for (const part of parts(document, operation)) visit(part, look);
  for (const { type } of operation.variableDefinitions ?? []) {
    reach(getNamedType(typeFromAST(schema, type)), used.sends);
  }
  return used;
}

/** An operation with the fragments that it spreads, and those that they spread. */
export function parts(document, operation) {
  const fragments = new Map();
  for (const part of document.definitions) {
    if (part.kind === Kind.FRAGMENT_DEFINITION) fragments.set(part.name.value, part);
  }
  const found = new Set([operation]);
  // What is added on the way is visited, too.
  for (const part of found) {
    visit(part, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (fragment) found.add(fragment);
      },
    });
  }
  return [...found];
}

/** Everything that a value of an input type can have in it. */
function reach(type, found) {
  if (!type || found.has(type.name)) return;
  found.add(type.name);
  if (isEnumType(type)) {
    for (const { name } of type.getValues()) found.add(`${type.name}.${name}`);
  }
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      found.add(`${type.name}.${field.name}`);
      reach(getNamedType(field.type), found);
    }
  }
}
