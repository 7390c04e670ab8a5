// Generates requests from a schema. Most are valid but for at most a few faults.
import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
} from 'graphql';

/** Returns a function that returns numbers from 0 to 1. The same seed gives the same numbers. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Generates a request: a document, perhaps an operation name, and variables. */
export function generateRequest(schema, next) {
  const generator = new Generator(schema, next);
  let document = generator.document();
  if (next() < 0.15) document = damage(document, next);
  const { variables, operationName } = generator;
  return { document, operationName, variables };
}

/** Removes, repeats or replaces one token of a document. */
function damage(document, next) {
  const tokens = document.match(/"(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z0-9_.-]+|\S/g);
  const at = Math.floor(next() * tokens.length);
  const other = tokens[Math.floor(next() * tokens.length)];
  const change = [[], [tokens[at], tokens[at]], [other], ['"\\u00"'], ['007'], ['$'], ['{']];
  tokens.splice(at, 1, ...change[Math.floor(next() * change.length)]);
  return tokens.join(' ');
}

class Generator {
  constructor(schema, next) {
    this.schema = schema;
    this.next = next;
    // The probability of a fault at each place. Some documents have none.
    this.faults = next() < 0.4 ? 0 : 0.015;
    this.variables = {};
    this.declared = [];
    this.fragments = [];
    this.composites = Object.values(schema.getTypeMap()).filter(
      (type) => isCompositeType(type) && !type.name.startsWith('__'),
    );
    this.inputs = Object.values(schema.getTypeMap()).filter(isInputType);
  }

  chance(probability) {
    return this.next() < probability;
  }

  fault() {
    return this.next() < this.faults;
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  document() {
    const kind = this.chance(0.25) ? 'mutation' : 'query';
    const root = kind === 'query' ? this.schema.getQueryType() : this.schema.getMutationType();
    const body = this.selectionSet(root, 4);
    for (let n = 0; n < this.fragments.length; n += 1) this.fragments[n].text ??= this.fragment(n);
    if (this.fault()) this.variable(this.pick(this.inputs));
    const declared = this.declared.map(({ name, type, value }) => `$${name}: ${type}${value}`);
    if (declared.length > 0 && this.fault()) declared.push(declared[0]);
    const variables = declared.length > 0 ? `(${declared.join(', ')})` : '';
    const named = this.chance(0.3);
    if (named && this.chance(0.5)) this.operationName = 'Q';
    const head = named || kind === 'mutation' || variables ? `${kind}${named ? ' Q' : ''}${variables}` : '';
    const other = this.fault() ? 'query R { me { id } }' : '';
    if (other && named) this.operationName = 'Q';
    const texts = this.fragments.map(({ text }) => text);
    return [`${head}${this.directive(kind === 'query' ? 0.01 : 0)} ${body}`, ...texts, other].join('\n');
  }

  fragment(n) {
    const { name, type } = this.fragments[n];
    const on = this.fault() ? this.pick([...this.inputs, ...this.composites]) : type;
    return `fragment ${name} on ${on} ${this.selectionSet(type, 2)}`;
  }

  directive(probability = 0.05) {
    if (this.fault()) return this.pick([' @nope', ' @skip', ' @include(if: "true")', ' @deprecated', ' @skip(if: true, x: 1)']);
    if (!this.chance(probability)) return '';
    const condition = this.argumentValue({ type: this.schema.getDirective('skip').args[0].type });
    return ` @${this.pick(['skip', 'include'])}(if: ${condition})`;
  }

  selectionSet(type, depth) {
    const selections = [];
    const count = 1 + Math.floor(this.next() * 4);
    for (let n = 0; n < count; n += 1) selections.push(this.selection(type, depth));
    // Fields with one response key meet often enough to be merged.
    if (this.chance(0.1)) selections.push(this.pick(selections));
    return `{ ${selections.join(' ')} }`;
  }

  selection(type, depth) {
    const roll = this.next();
    if (roll < 0.08) {
      const on = this.chance(0.5) ? ` on ${this.condition(type)}` : '';
      const inner = on ? this.schema.getType(on.slice(4)) : type;
      return `...${on}${this.directive()} ${this.selectionSet(isCompositeType(inner) ? inner : type, depth - 1)}`;
    }
    if (roll < 0.16 && this.fragments.length < 4) {
      const name = `F${this.fragments.length}`;
      this.fragments.push({ name, type: this.schema.getType(this.condition(type)) });
      return `...${this.fault() ? 'Nowhere' : name}${this.directive()}`;
    }
    if (roll < 0.2 && this.fragments.length > 0 && (this.faults > 0)) return `...${this.pick(this.fragments).name}`;
    // graphql-js does not compare the type of `__typename` with that of other fields, so no field shares
    // its alias.
    if (roll < 0.24) return `${this.chance(0.3) ? 't: ' : ''}__typename${this.directive()}`;
    return this.field(type, depth);
  }

  /** Returns the name of a type that fits as a type condition. */
  condition(type) {
    if (this.fault()) return this.pick(this.composites).name;
    if (isAbstractType(type)) return this.pick([type, ...this.schema.getPossibleTypes(type)]).name;
    return this.pick([type, ...type.getInterfaces()]).name;
  }

  field(type, depth) {
    const all = Object.values(type.getFields());
    const leaves = all.filter((field) => !isCompositeType(getNamedType(field.type)));
    const fields = depth <= 0 && leaves.length > 0 ? leaves : all;
    const field = this.pick(fields);
    const name = this.fault() ? 'nope' : field.name;
    const result = getNamedType(field.type);
    const alias = this.chance(0.12) ? `${this.pick(['a', 'b', 'x'])}: ` : '';
    const takesSet = isCompositeType(result) !== this.fault();
    const inner = isCompositeType(result) ? result : this.schema.getQueryType();
    const set = takesSet ? ` ${this.selectionSet(inner, depth - 1)}` : '';
    return `${alias}${name}${this.arguments(field.args)}${this.directive()}${set}`;
  }

  arguments(definitions) {
    const values = [];
    for (const definition of definitions) {
      const isRequired = isNonNullType(definition.type) && definition.defaultValue === undefined;
      if ((isRequired && !this.fault()) || this.chance(0.15)) {
        values.push(`${this.fault() ? 'nope' : definition.name}: ${this.argumentValue(definition)}`);
      }
    }
    if (values.length > 0 && this.fault()) values.push(values[0]);
    return values.length > 0 ? `(${values.join(', ')})` : '';
  }

  /** Returns a literal or a variable for an argument or an input field. */
  argumentValue({ type, defaultValue }) {
    if (!this.chance(0.3)) return this.literal(type, 3);
    let declared = type;
    if (isNonNullType(type) && defaultValue !== undefined && this.chance(0.5)) declared = type.ofType;
    if (this.fault()) declared = this.pick([type.ofType ?? type, this.pick(this.inputs)]);
    if (this.fault()) return '$undeclared';
    return `$${this.variable(declared, isNonNullType(type) && !isNonNullType(declared))}`;
  }

  /** Declares a variable and gives it a value. */
  variable(type, isNonNullUse = false) {
    const same = this.declared.filter((variable) => String(variable.type) === String(type));
    if (same.length > 0 && this.chance(0.4)) return this.pick(same).name;
    const name = `v${this.declared.length}`;
    const hasDefault = this.chance(0.2);
    const value = hasDefault ? ` = ${this.literal(type, 2, true)}` : '';
    this.declared.push({ name, type, value });
    // A variable that is null where null is invalid is an error of execution in graphql-js.
    const isOptional = !isNonNullType(type) || hasDefault;
    if (!(isOptional && this.chance(0.4)) && !this.fault()) {
      const json = this.json(type, 3);
      if (json !== null || !(isNonNullUse || hasDefault)) this.variables[name] = json;
    }
    return name;
  }

  literal(type, depth, isConstant = false) {
    if (this.fault()) return this.pick(['null', '1', '"x"', 'true', 'NOPE', '[]', '{}', '1.5', '-0', '2147483648', '[null]']);
    if (isNonNullType(type)) return this.value(type.ofType, depth, isConstant);
    return this.chance(0.05) ? 'null' : this.value(type, depth, isConstant);
  }

  /** Returns a literal that is not null. */
  value(type, depth, isConstant) {
    if (isListType(type)) {
      if (this.chance(0.1)) return this.literal(type.ofType, depth, isConstant);
      const items = Array.from({ length: Math.floor(this.next() * 3) }, () =>
        !isConstant && this.chance(0.2)
          ? this.argumentValue({ type: type.ofType })
          : this.literal(type.ofType, depth - 1, isConstant),
      );
      return `[${items.join(', ')}]`;
    }
    if (isEnumType(type)) return this.pick(type.getValues()).name;
    if (isInputObjectType(type)) return this.objectLiteral(type, depth, isConstant);
    return this.scalar(type, (value) => JSON.stringify(value));
  }

  objectLiteral(type, depth, isConstant) {
    const fields = [];
    for (const field of Object.values(type.getFields())) {
      const isRequired = isNonNullType(field.type) && field.defaultValue === undefined;
      if ((isRequired && !this.fault()) || (depth > 0 && this.chance(0.3))) {
        const value = isConstant ? this.literal(field.type, depth - 1, true) : this.argumentValue(field);
        fields.push(`${this.fault() ? 'nope' : field.name}: ${value}`);
      }
    }
    if (fields.length > 0 && this.fault()) fields.push(fields[0]);
    return `{${fields.join(', ')}}`;
  }

  json(type, depth) {
    if (this.fault()) return this.pick([null, 1, 'x', true, 1.5, [], {}, 2147483648, [null], { nope: 1 }]);
    if (isNonNullType(type)) return this.json(type.ofType, depth);
    if (isListType(type)) {
      if (this.chance(0.1)) return this.json(type.ofType, depth);
      return Array.from({ length: Math.floor(this.next() * 3) }, () => this.json(type.ofType, depth - 1));
    }
    if (isEnumType(type)) return this.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = {};
      for (const field of Object.values(type.getFields())) {
        const isRequired = isNonNullType(field.type) && field.defaultValue === undefined;
        if ((isRequired && !this.fault()) || (depth > 0 && this.chance(0.3))) {
          fields[field.name] = this.json(field.type, depth - 1);
        }
      }
      return fields;
    }
    // Objects, which a fault can make the type of a variable, have no values.
    return this.scalar(type, (value) => value) ?? null;
  }

  scalar(type, format) {
    switch (type.name) {
      case 'Int':
        return format(this.pick([0, 1, 7, 2147483647, -1]));
      case 'Float':
        return format(this.pick([0, 1.5, -3]));
      case 'Boolean':
        return format(this.chance(0.5));
      case 'DateTime':
        return format('2026-01-31T08:00:00.000Z');
      case 'ID':
        return format(this.pick(['ten_650000000000000000000001', 'x', 4]));
      default:
        return format(this.pick(['x', 'acme', '']));
    }
  }
}
