/* What every part of the canvas may use. */

import { createContext, use } from 'react';
import type { Graph, Place, Port, Step, World } from './graph';
import type { Mark, Numbers, Problem, Translate } from './page';

export interface Canvas {
  readonly t: Translate;
  readonly world: World;
  readonly graph: Graph;
  /** What this canvas shows, where there are several; "" else. */
  readonly name: string;
  readonly readOnly: boolean;
  readonly isRtl: boolean;
  readonly problemsOf: (id: string) => readonly Problem[];
  readonly sentenceOf: (step: Step) => string;
  readonly nameOf: (id: string) => string;
  /** What became of a step between two revisions, where they are compared. */
  readonly markOf: (id: string) => Mark | undefined;
  readonly numbersOf: (id: string) => Numbers | undefined;
  readonly hasNumbers: boolean;
  readonly portLabel: (step: Step, port: string) => string;
  /** Ask which kind of step to put here; nowhere: a step by itself. */
  readonly pick: (place?: Place) => void;
  readonly open: (id: string, isFocused: boolean) => void;
}

export const CanvasContext = createContext<Canvas | null>(null);

export function useCanvas(): Canvas {
  const canvas = use(CanvasContext);
  if (!canvas) throw new Error('There is no canvas around this.');
  return canvas;
}

export function labelOf(port: Port): string {
  return port[1] || port[0];
}
