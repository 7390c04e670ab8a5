// Checks that a response has the shape that its document and the schema define, and so its generated type.
import {
  doTypesOverlap,
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  Kind,
  parse,
  typeFromAST,
  TypeNameMetaFieldDef,
  valueFromASTUntyped,
} from 'graphql';

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const SCALARS = {
  Boolean: (value) => typeof value === 'boolean',
  DateTime: (value) => typeof value === 'string' && DATE_TIME.test(value),
  ID: (value) => typeof value === 'string',
  Int: (value) => Number.isInteger(value),
  JSON: (value) => value !== undefined,
  String: (value) => typeof value === 'string',
};

/** Returns every mismatch with its path, or an empty list. */
export function mismatches(schema, text, variables, data) {
  const document = parse(text);
  const operation = document.definitions.find((part) => part.kind === Kind.OPERATION_DEFINITION);
  const fragments = new Map(
    document.definitions
      .filter((part) => part.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const values = { ...variables };
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (defaultValue && !(name in values)) values[name] = valueFromASTUntyped(defaultValue);
  }
  const check = new Check(schema, fragments, values);
  check.object(schema.getRootType(operation.operation), [operation.selectionSet], data, '');
  return check.found;
}

class Check {
  found = [];

  constructor(schema, fragments, variables) {
    Object.assign(this, { schema, fragments, variables });
  }

  object(type, sets, value, path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.found.push(`${path}: not an object`);
      return;
    }
    const selected = new Map();
    for (const set of sets) this.collect(type, set, selected);
    for (const key of Object.keys(value)) {
      if (!selected.has(key)) this.found.push(`${path}.${key}: not selected`);
    }
    for (const [key, nodes] of selected) {
      const at = `${path}.${key}`;
      const name = nodes[0].name.value;
      const field = name === '__typename' ? TypeNameMetaFieldDef : type.getFields()[name];
      if (!(key in value)) this.found.push(`${at}: missing`);
      else this.value(field.type, nodes, value[key], at);
    }
  }

  /** Collects the fields that are selected on an object of a type, by response key. */
  collect(type, set, selected) {
    for (const selection of set.selections) {
      if (this.skipped(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value;
        selected.set(key, [...(selected.get(key) ?? []), selection]);
        continue;
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? this.fragments.get(selection.name.value) : selection;
      const condition = fragment.typeCondition && typeFromAST(this.schema, fragment.typeCondition);
      if (!condition || doTypesOverlap(this.schema, condition, type)) {
        this.collect(type, fragment.selectionSet, selected);
      }
    }
  }

  skipped(selection) {
    const include = getDirectiveValues(GraphQLIncludeDirective, selection, this.variables);
    const skip = getDirectiveValues(GraphQLSkipDirective, selection, this.variables);
    return include?.if === false || skip?.if === true;
  }

  value(type, nodes, value, path) {
    if (isNonNullType(type)) {
      if (value === null) this.found.push(`${path}: null`);
      else this.value(type.ofType, nodes, value, path);
    } else if (value === null) {
      return;
    } else if (isListType(type)) {
      if (!Array.isArray(value)) this.found.push(`${path}: not a list`);
      else value.forEach((one, at) => this.value(type.ofType, nodes, one, `${path}.${at}`));
    } else if (isCompositeType(type)) {
      const sets = nodes.map((node) => node.selectionSet);
      this.object(isAbstractType(type) ? this.concrete(type, value, path) : type, sets, value, path);
    } else if (isEnumType(type)) {
      if (!type.getValue(value)) this.found.push(`${path}: ${value} is not a value of ${type}`);
    } else if (!SCALARS[type.name](value)) {
      this.found.push(`${path}: ${JSON.stringify(value)} is not a valid ${type}`);
    }
  }

  /** Resolves an abstract type. The documents select `__typename` on abstract types, as clients do. */
  concrete(type, value, path) {
    const found = this.schema.getType(value.__typename);
    if (found && this.schema.isSubType(type, found)) return found;
    throw new Error(`${path}: __typename is ${value.__typename}`);
  }
}
