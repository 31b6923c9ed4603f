/* Everything that can be done to the journey, by mouse, keys, outline or clipboard. */

import { useReactFlow } from '@xyflow/react';
import { useCallback, useEffect, useRef, type ClipboardEvent, type RefObject } from 'react';
import type { Canvas } from './context';
import * as ops from './graph';
import { parse, serialise, stepOf, type Kind, type Place, type Port } from './graph';
import type { Actions } from './Outline';
import type { Drawn } from './useDrawn';
import type { Read } from './useReading';

interface Editing {
  readonly actions: Actions;
  readonly add: (kind: Kind, place?: Place, at?: ops.Position) => void;
  readonly drop: (ids: readonly string[]) => void;
  readonly goBack: (what: 'undo' | 'redo') => void;
  readonly configure: (id: string, settings: ops.Settings, ports: readonly Port[] | null) => void;
  readonly annotate: (id: string, note: string) => void;
  readonly copied: (event: ClipboardEvent) => void;
  readonly pasted: (event: ClipboardEvent) => void;
}

interface Around {
  drawn: Drawn;
  read: Read;
  canvas: Canvas;
  root: RefObject<HTMLDivElement | null>;
  selected: readonly string[];
  select: (ids: readonly string[]) => void;
  closePanel: () => void;
  show: (id: string) => void;
  say: (words: string) => void;
}

export function isField(target: EventTarget): boolean {
  return target instanceof Element && target.matches('input, textarea, select, [contenteditable]');
}

export function useEditing(around: Around): Editing {
  const { drawn, read, canvas, root, selected, select, closePanel, show, say } = around;
  const { graph, put, written } = drawn;
  const { t, world, readOnly, isRtl } = canvas;
  const { learn } = read;
  const flow = useReactFlow();

  /** Add a step at a place; without one, behind the selected step, or by itself. */
  const add = (kind: Kind, place?: Place, at?: ops.Position) => {
    const behind = selected.length === 1 ? stepOf(graph, selected[0]!) : undefined;
    const port = behind && kind.role === 'step' && !at ? world.portsOf(behind)[0] : undefined;
    const where = place ?? (behind && port ? { source: behind.id, port: port[0] } : undefined);
    const spot = at && (ops.isPlaced(graph) || !where) ? at : undefined;
    let base = graph;
    if (spot && !ops.isPlaced(graph)) {
      const seen = flow.getNodes().map((one): [string, ops.Position] => [
        one.id,
        isRtl ? [-one.position.x - (one.width ?? 0), one.position.y] : [one.position.x, one.position.y],
      ]);
      base = ops.place(graph, new Map(seen));
    }
    const [next, step] = where
      ? ops.insertAt(base, where, kind, world, spot)
      : ops.addFree(base, kind, spot);
    put(next);
    say(t('added', { step: kind.label }));
    canvas.open(step.id, true);
    show(step.id);
  };

  const drop = (ids: readonly string[]) => {
    if (ids.length === 0) return;
    const kindOf = (id: string) => stepOf(graph, id)?.kind ?? id;
    const names = ids.map((id) => world.kindOf(kindOf(id))?.label ?? kindOf(id)).join(', ');
    put(ops.remove(graph, ids, world));
    select([]);
    closePanel();
    say(t('deleted', { step: names }));
    root.current?.querySelector<HTMLElement>('.triggers-canvas__bar button')?.focus();
  };

  const moved = (next: ops.Graph, id: string) => {
    put(next);
    say(t('moved', { step: canvas.nameOf(id) }));
  };

  const actions: Actions = {
    remove: drop,
    duplicate: (id) => {
      const [next, copy] = ops.duplicate(graph, id, world);
      put(next);
      if (copy !== undefined) canvas.open(copy, false);
      say(t('added', { step: canvas.nameOf(id) }));
    },
    moveUp: (id) => moved(ops.moveUp(graph, id, world), id),
    moveDown: (id) => moved(ops.moveDown(graph, id, world), id),
    moveTo: (id, place) => moved(ops.moveTo(graph, id, place, world), id),
    lead: (place, target) => {
      const next = target
        ? ops.connect(graph, { ...place, target }, world.kindOf)
        : ops.disconnect(graph, place);
      put(next);
      const step = stepOf(graph, place.source);
      const port = step ? canvas.portLabel(step, place.port) : place.port;
      say(t('connected', { port, step: target ? canvas.nameOf(target) : t('nowhere') }));
    },
  };

  const worldRef = useRef(world);
  useEffect(() => {
    worldRef.current = world;
  }, [world]);

  const configure = useCallback(
    (id: string, settings: ops.Settings, ports: readonly Port[] | null) => {
      const step = stepOf(written.current, id);
      if (!step || JSON.stringify(step.settings) === JSON.stringify(settings)) return;
      const before = worldRef.current.portsOf(step);
      put(ops.configure(written.current, id, settings, before, ports), `settings:${id}`);
      if (ports) learn(id, ports);
    },
    [put, learn, written],
  );

  const annotate = useCallback(
    (id: string, note: string) => put(ops.annotate(written.current, id, note), `note:${id}`),
    [put, written],
  );

  const goBack = (what: 'undo' | 'redo') => {
    drawn.goBack(what);
    say(t(what === 'undo' ? 'undone' : 'redone'));
  };

  const copied = (event: ClipboardEvent) => {
    if (isField(event.target) || selected.length === 0 || window.getSelection()?.toString()) return;
    event.preventDefault();
    event.clipboardData.setData('text/plain', serialise(ops.extract(graph, selected)));
    say(t('copied'));
    if (event.type === 'cut' && !readOnly) drop(selected);
  };

  const pasted = (event: ClipboardEvent) => {
    if (isField(event.target) || readOnly) return;
    const clip = parse(event.clipboardData.getData('text/plain'));
    if (!clip || clip.nodes.length === 0) return;
    event.preventDefault();
    const [next, ids] = ops.paste(graph, clip, ops.isPlaced(graph));
    put(next);
    select(ids);
    closePanel();
    say(t('added', { step: ids.join(', ') }));
  };

  return { actions, add, drop, goBack, configure, annotate, copied, pasted };
}
