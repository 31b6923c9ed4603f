/* A condition as the editor holds it: the JSON of the graph, changed piece by piece. */

import type { Json } from './graph';

export type Condition = { [key: string]: Json };
export type GroupKey = 'all' | 'any';

export interface Vocabulary {
  readonly facts: readonly string[];
  readonly events: readonly (readonly [string, string])[];
  readonly fields: readonly string[];
  readonly segments: readonly (readonly [string, string])[];
  readonly messages: readonly string[];
  readonly ops: readonly (readonly [op: string, label: string, valueless: boolean])[];
}

export const LEAVES = ['fact', 'event', 'done', 'message', 'segment'] as const;
export type Leaf = (typeof LEAVES)[number];

export function isObject(value: unknown): value is Condition {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function groupOf(value: Condition): GroupKey | null {
  if (Array.isArray(value.all)) return 'all';
  return Array.isArray(value.any) ? 'any' : null;
}

export function leafOf(value: Condition): Leaf | null {
  return LEAVES.find((key) => typeof value[key] === 'string') ?? null;
}

/** Take "not" off: what it denies, and whether it stood there. */
export function bare(value: Condition): [Condition, boolean] {
  return 'not' in value && isObject(value.not) ? [value.not, true] : [value, false];
}

export function wrapped(value: Condition, isNot: boolean): Condition {
  return isNot ? { not: value } : value;
}

/** A comparison of this kind that says nothing yet. */
export function newLeaf(leaf: Leaf): Condition {
  switch (leaf) {
    case 'done':
      return { done: '', match: 'same_object' };
    case 'message':
      return { message: 'any', was: 'opened' };
    case 'segment':
      return { segment: '' };
    default:
      return { [leaf]: '', op: 'eq', value: '' };
  }
}

/** Read what was typed as a value: numbers and yes/no as such, the rest as text. */
export function typedValue(text: string): Json {
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

/** Give a comparison another operator, and a value that fits it. */
export function withOp(leaf: Condition, op: string, isValueless: boolean): Condition {
  const { value, ...rest } = leaf;
  if (isValueless) return { ...rest, op };
  if (op === 'in') {
    const list = Array.isArray(value) ? value : value === undefined || value === '' ? [] : [value];
    return { ...rest, op, value: list };
  }
  return { ...rest, op, value: Array.isArray(value) ? (value[0] ?? '') : (value ?? '') };
}
