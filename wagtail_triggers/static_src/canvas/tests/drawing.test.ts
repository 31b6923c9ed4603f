import { describe, expect, test } from 'vitest';
import { typedValue, withOp, bare, wrapped, leafOf, groupOf } from '../src/condition-tree';
import { isPlaced, place, unplace } from '../src/graph';
import { begin, commit, redo, undo } from '../src/history';
import { autoLayout, HEIGHT, layoutOf } from '../src/layout';
import { outlineOf, type Line } from '../src/lines';
import { matching } from '../src/Palette';
import { graphOf, KINDS, world } from './world';

const A = graphOf('entry>end');
const B = graphOf('entry>send, send>end');
const C = graphOf('entry>wait, wait>end');

describe('undo', () => {
  test('goes back and forth', () => {
    const history = commit(commit(begin(A), B), C);
    expect(undo(undo(history)).present).toBe(A);
    expect(redo(undo(history)).present).toBe(C);
    expect(undo(begin(A)).present).toBe(A);
    expect(redo(history).present).toBe(C);
  });

  test('a new change forgets what was undone', () => {
    expect(commit(undo(commit(begin(A), B)), C).future).toEqual([]);
  });

  test('typing in one place is one thing to undo', () => {
    const history = commit(commit(begin(A), B, 'settings:send'), C, 'settings:send');
    expect(undo(history).present).toBe(A);
  });

  test('no change is nothing to undo', () => {
    expect(commit(begin(A), A).past).toEqual([]);
  });
});

describe('layout', () => {
  test('steps follow each other from the top, and none lies on another', () => {
    const graph = graphOf('entry>branch, branch.yes>send, branch.no>wait, send>end, wait>end, goal');
    const { positions } = autoLayout(graph, world);
    const y = (id: string) => positions.get(id)![1];
    expect(y('entry')).toBeLessThan(y('branch'));
    expect(y('branch')).toBeLessThan(y('send'));
    expect(y('send')).toBe(y('wait'));
    expect(y('wait')).toBeLessThan(y('end'));
    expect(positions.get('send')![0]).toBeLessThan(positions.get('wait')![0]);
    const all = [...positions.values()];
    all.forEach((a, n) => {
      all.slice(n + 1).forEach((b) => {
        expect(Math.abs(a[0] - b[0]) >= 272 || Math.abs(a[1] - b[1]) >= HEIGHT).toBe(true);
      });
    });
  });

  test('a way past other steps has a lane beside them', () => {
    const graph = graphOf('entry>branch, branch.yes>send, branch.no>end, send>wait, wait>end');
    const { positions, lanes } = autoLayout(graph, world);
    const lane = lanes.get('branch/no')!;
    const left = positions.get('send')![0];
    expect(lane < left || lane > left + 272).toBe(true);
  });

  test('300 steps are laid out in time', () => {
    const ways = Array.from({ length: 298 }, (_one, n) => `wait${n}>wait${n + 1}`);
    const graph = graphOf(['entry>wait0', ...ways].join(', '));
    const began = performance.now();
    expect(autoLayout(graph, world).positions.size).toBe(300);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test('what was placed stays, and what was not goes below what leads to it', () => {
    const placed = place(B, new Map([['entry', [10, 20] as const], ['end', [10, 400] as const]]));
    const { positions } = layoutOf(placed, world);
    expect(positions.get('entry')).toEqual([10, 20]);
    expect(positions.get('send')![0]).toBe(10);
    expect(positions.get('send')![1]).toBeGreaterThan(20 + HEIGHT);
    expect(isPlaced(placed)).toBe(true);
    expect(unplace(placed)).toEqual(B);
  });

  test('circles and edges to nothing do no harm', () => {
    expect(autoLayout(graphOf('entry>wait, wait>send, send>wait'), world).positions.size).toBe(3);
    const torn = { ...A, edges: [...A.edges, { source: 'entry', port: 'x', target: 'gone' }] };
    expect(autoLayout(torn, world).positions.size).toBe(2);
  });
});

function words(lines: readonly Line[]): unknown[] {
  return lines.map((one) => {
    const name = `${one.port && `${one.port}: `}${one.step.id}${one.again ? ' (again)' : ''}`;
    return one.below.length > 0 ? [name, words(one.below)] : name;
  });
}

describe('outline', () => {
  test('watches first, then the ways, each fork deeper', () => {
    const graph = graphOf('entry>branch, branch.yes>send, branch.no>end, send>end, goal');
    expect(words(outlineOf(graph, world))).toEqual([
      'goal',
      'entry',
      ['branch', ['Yes: send', 'end', 'No: end (again)']],
    ]);
  });

  test('what nothing leads to is listed as well', () => {
    expect(words(outlineOf(graphOf('entry>end, wait'), world))).toEqual(['entry', 'end', 'wait']);
  });

  test('a thousand steps in a row are no deep recursion', () => {
    const ways = Array.from({ length: 1000 }, (_one, n) => `wait${n}>wait${n + 1}`);
    expect(outlineOf(graphOf(ways.join(', ')), world)).toHaveLength(1001);
  });
});

describe('conditions', () => {
  test.each([
    ['50', 50],
    ['12.50', 12.5],
    ['007', '007'],
    ['true', true],
    ['1e5', '1e5'],
    ['', ''],
  ])('%j is read as %j', (text, value) => {
    expect(typedValue(text)).toBe(value);
  });

  test('a list keeps its first value, and a value becomes a list', () => {
    const leaf = { fact: 'x', op: 'eq', value: 3 };
    expect(withOp(leaf, 'in', false)).toEqual({ fact: 'x', op: 'in', value: [3] });
    expect(withOp(withOp(leaf, 'in', false), 'gt', false)).toEqual({ fact: 'x', op: 'gt', value: 3 });
    expect(withOp(leaf, 'is_set', true)).toEqual({ fact: 'x', op: 'is_set' });
  });

  test('"not" goes on and off', () => {
    const leaf = { done: 'order_placed', match: 'any' };
    expect(bare(wrapped(leaf, true))).toEqual([leaf, true]);
    expect(wrapped(leaf, false)).toBe(leaf);
    expect(leafOf({ acme: 'x' })).toBeNull();
    expect(groupOf({ any: [] })).toBe('any');
  });
});

test('the palette finds by the beginning of a name first', () => {
  expect(matching(KINDS, 'en').map((one) => one.kind)).toEqual(['entry', 'end', 'send']);
  expect(matching(KINDS, 'nothing such')).toEqual([]);
});
