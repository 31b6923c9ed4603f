import { describe, expect, test } from 'vitest';
import * as ops from '../src/graph';
import { graphOf, kindNamed, ways, world } from './world';

const LINE = graphOf('entry>send, send>wait, wait>end');
const FORK = graphOf('entry>branch, branch.yes>send, branch.no>end, send>end');

describe('reading and writing', () => {
  test('what is written is read again as it was', () => {
    expect(ops.parse(ops.serialise(LINE))).toEqual(LINE);
  });

  test.each(['', '{}'])('nothing is an empty graph: %j', (text) => {
    expect(ops.parse(text)).toEqual(ops.EMPTY);
  });

  test.each([
    '{',
    '[]',
    'null',
    '{"nodes": 1}',
    '{"nodes": [{"id": 1, "kind": "end"}]}',
    '{"nodes": [{"id": "a", "kind": "end"}, {"id": "a", "kind": "end"}]}',
    '{"nodes": [{"id": "a", "kind": "end", "settings": []}]}',
    '{"nodes": [], "edges": [{"source": "a"}]}',
    '{"nodes": [], "comment": "kept"}',
  ])('what cannot be drawn is refused, not mended: %s', (text) => {
    expect(ops.parse(text)).toBeNull();
  });

  test('an edge without a port leaves by "next", a node without settings has none', () => {
    const read = ops.parse('{"nodes": [{"id":"a","kind":"end"}], "edges": [{"source":"a","target":"a"}]}');
    expect(read?.edges[0]?.port).toBe('next');
    expect(read?.nodes[0]?.settings).toEqual({});
  });

  test('short values stand on one line, as the server lays them out', () => {
    expect(ops.layoutJson({ ü: [1, null] })).toBe('{\n  "ü": [\n    1,\n    null\n  ]\n}');
    expect(ops.serialise(graphOf('end'))).toContain('    {"id": "end", "kind": "end", "settings": {}}\n');
  });
});

describe('adding', () => {
  test('a step on a line stands between the two', () => {
    const [next, step] = ops.insertAt(LINE, { source: 'entry', port: 'next' }, kindNamed('wait'), world);
    expect(step.id).toBe('wait-2');
    expect(ways(next)).toEqual(['entry>wait-2', 'send>wait', 'wait-2>send', 'wait>end']);
  });

  test('a fork before an end leads all its ways there', () => {
    const [next] = ops.insertAt(LINE, { source: 'wait', port: 'next' }, kindNamed('branch'), world);
    expect(ways(next)).toEqual(['branch.no>end', 'branch.yes>end', 'entry>send', 'send>wait', 'wait>branch']);
  });

  test('a fork in the middle leads its first way on and the others to an end', () => {
    const [next] = ops.insertAt(LINE, { source: 'entry', port: 'next' }, kindNamed('branch'), world);
    expect(ways(next)).toContain('branch.yes>send');
    expect(ways(next)).toContain('branch.no>end');
  });

  test('a step at a loose way gets an end where there is none', () => {
    const [next] = ops.insertAt(graphOf('entry'), { source: 'entry', port: 'next' }, kindNamed('send'), world);
    expect(ways(next)).toEqual(['entry>send', 'send>end']);
    expect(next.nodes.map((one) => one.id)).toEqual(['entry', 'send', 'end']);
  });

  test.each(['goal', 'entry'])('%s is joined to nothing, wherever it is put', (kind) => {
    const [next] = ops.insertAt(LINE, { source: 'send', port: 'next' }, kindNamed(kind), world);
    expect(ways(next)).toEqual(ways(LINE));
  });

  test('ids are those that the server takes, and new', () => {
    expect(ops.freshId(LINE, 'acme.split!')).toBe('acmesplit');
    expect(ops.freshId(LINE, '!')).toBe('step');
    expect(ops.freshId(graphOf('send, send-2'), 'send')).toBe('send-3');
  });
});

describe('connecting', () => {
  test('a way leads to one step: the new edge takes the place of the old', () => {
    const next = ops.connect(FORK, { source: 'branch', port: 'no', target: 'send' }, world.kindOf);
    expect(ways(next)).toEqual(['branch.no>send', 'branch.yes>send', 'entry>branch', 'send>end']);
  });

  test.each([
    ['send', 'entry'],
    ['send', 'goal'],
    ['send', 'send'],
    ['send', 'nowhere'],
    ['goal', 'send'],
  ])('%s cannot lead to %s', (source, target) => {
    const graph = graphOf('entry>send, send>end, goal');
    expect(ops.connect(graph, { source, port: 'next', target }, world.kindOf)).toBe(graph);
  });
});

describe('taking away', () => {
  test('what led to a step leads on past it', () => {
    expect(ways(ops.remove(LINE, ['send'], world))).toEqual(['entry>wait', 'wait>end']);
  });

  test('several steps in a row, too', () => {
    expect(ways(ops.remove(LINE, ['send', 'wait'], world))).toEqual(['entry>end']);
  });

  test('a fork goes on by its first way', () => {
    expect(ways(ops.remove(FORK, ['branch'], world))).toEqual(['entry>send', 'send>end']);
  });

  test('a step that leads to itself leaves nothing behind', () => {
    const graph = graphOf('entry>wait, wait>wait');
    expect(ops.remove(graph, ['wait'], world)).toEqual(graphOf('entry'));
  });
});

describe('moving', () => {
  test('down: behind the next step', () => {
    expect(ways(ops.moveDown(LINE, 'send', world))).toEqual(['entry>wait', 'send>end', 'wait>send']);
  });

  test('up: before the step that leads here', () => {
    expect(ways(ops.moveUp(LINE, 'wait', world))).toEqual(['entry>wait', 'send>end', 'wait>send']);
  });

  test('up and down again is as before', () => {
    expect(ways(ops.moveDown(ops.moveUp(LINE, 'wait', world), 'wait', world))).toEqual(ways(LINE));
  });

  test('up out of a fork: before the fork', () => {
    expect(ways(ops.moveUp(FORK, 'send', world))).toEqual([
      'branch.no>end',
      'branch.yes>end',
      'entry>send',
      'send>branch',
    ]);
  });

  test('not past an entry, and not past an end', () => {
    expect(ops.moveUp(LINE, 'send', world)).toBe(LINE);
    expect(ops.moveDown(LINE, 'wait', world)).toBe(LINE);
    expect(ops.moveDown(LINE, 'end', world)).toBe(LINE);
  });

  test('to a way that is chosen', () => {
    const next = ops.moveTo(FORK, 'send', { source: 'branch', port: 'no' }, world);
    expect(ways(next)).toEqual(['branch.no>send', 'branch.yes>end', 'entry>branch', 'send>end']);
  });
});

describe('copying', () => {
  test('a copy stands behind its step', () => {
    const [next, id] = ops.duplicate(LINE, 'send', world);
    expect(id).toBe('send-2');
    expect(ways(next)).toEqual(['entry>send', 'send-2>wait', 'send>send-2', 'wait>end']);
  });

  test('a copy of an entry stands by itself', () => {
    const [next] = ops.duplicate(LINE, 'entry', world);
    expect(ways(next)).toEqual(ways(LINE));
    expect(next.nodes).toHaveLength(5);
  });

  test('what is pasted has new ids and its own ways only', () => {
    const [next, ids] = ops.paste(LINE, ops.extract(LINE, ['send', 'wait']), false);
    expect(ids).toEqual(['send-2', 'wait-2']);
    expect(ways(next)).toEqual([...ways(LINE), 'send-2>wait-2'].sort());
  });
});

describe('settings', () => {
  const before: ops.Port[] = [
    ['yes', 'Yes'],
    ['no', 'No'],
  ];

  test('a way that was renamed keeps its edge', () => {
    const next = ops.configure(FORK, 'branch', { a: 1 }, before, [
      ['yes', 'Yes'],
      ['never', 'Never'],
    ]);
    expect(ways(next)).toContain('branch.never>end');
    expect(ops.stepOf(next, 'branch')?.settings).toEqual({ a: 1 });
  });

  test('a way that is gone loses its edge', () => {
    expect(ways(ops.configure(FORK, 'branch', {}, before, [['yes', 'Yes']]))).not.toContain('branch.no>end');
  });

  test('while the ways are not known, edges stay', () => {
    expect(ways(ops.configure(FORK, 'branch', {}, before, null))).toEqual(ways(FORK));
  });
});

test('a note is kept at its step alone, and an empty one is none', () => {
  const noted = ops.annotate(LINE, 'wait', 'Ask Ada');
  expect(ops.stepOf(noted, 'wait')?.note).toBe('Ask Ada');
  expect(noted.nodes.filter((one) => one.note)).toHaveLength(1);
  expect(ops.parse(ops.serialise(noted))).toEqual(noted);
  expect(ops.annotate(noted, 'wait', '  ')).toEqual(LINE);
});
