/* What the page gives the canvas, and what the canvas asks the server. */

import type { Graph, Kind, Port, Settings } from './graph';

export interface Numbers {
  readonly entered?: number;
  readonly waiting?: number;
  readonly sent?: number;
  readonly converted?: number;
  readonly left?: number;
  readonly errors?: number;
}

export type Mark = 'added' | 'removed' | 'changed';

export interface Problem {
  readonly node: string;
  readonly field: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

export interface Reading {
  readonly nodes: Readonly<Record<string, { sentence: string; ports: readonly Port[] | null }>>;
  readonly problems: readonly Problem[];
}

export interface Config {
  readonly site: number | null;
  readonly kinds: readonly Kind[];
  readonly words: Readonly<Record<string, string>>;
  readonly readingUrl: string;
  readonly stepUrl: string;
  readonly readOnly?: boolean;
  readonly graph?: unknown;
  readonly reading?: Reading;
  readonly numbers?: Readonly<Record<string, Numbers>> | null;
  readonly numbersUrl?: string;
  /** What is drawn, where there are several canvases on a page. */
  readonly name?: string;
  /** Below this width the outline comes first. */
  readonly narrow?: number;
  readonly marks?: Readonly<Record<string, Mark>>;
}

export interface StepAnswer {
  readonly html: string;
  readonly digest: string;
  readonly settings: Settings;
  readonly ports: readonly Port[] | null;
  readonly errors: Readonly<Record<string, readonly (readonly [severity: string, message: string])[]>>;
}

interface WagtailConfig {
  CSRF_HEADER_NAME?: string;
  CSRF_TOKEN?: string;
}

declare global {
  interface Window {
    wagtail: {
      app: { register: (name: string, controller: unknown) => void };
      config?: WagtailConfig;
    };
    wagtailConfig?: WagtailConfig;
    StimulusModule: { Controller: new (...args: unknown[]) => StimulusController };
  }
}

export interface StimulusController {
  readonly element: HTMLElement;
}

export type Translate = (key: string, values?: Record<string, string | number>) => string;

/** Words by key, with %(name)s filled in. A missing key is shown, so that it is seen. */
export function translator(words: Readonly<Record<string, string>>): Translate {
  return (key, values = {}) =>
    (words[key] ?? key).replace(/%\((\w+)\)s/g, (_all, name: string) => String(values[name] ?? ''));
}

async function post(url: string, body: URLSearchParams, signal: AbortSignal): Promise<unknown> {
  const config = window.wagtail.config ?? window.wagtailConfig ?? {};
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { [config.CSRF_HEADER_NAME ?? 'X-CSRFToken']: config.CSRF_TOKEN ?? '' },
    signal,
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

export async function readGraph(
  url: string,
  graph: Graph,
  site: string,
  signal: AbortSignal,
): Promise<Reading> {
  const body = new URLSearchParams({ 'canvas-graph': JSON.stringify(graph), 'canvas-site': site });
  return (await post(url, body, signal)) as Reading;
}

export async function askForm(
  url: string,
  graph: Graph,
  node: string,
  site: string,
  fields: [string, string][] | null,
  action: string,
  signal: AbortSignal,
): Promise<StepAnswer> {
  const body = new URLSearchParams(fields ?? []);
  body.set('canvas-graph', JSON.stringify(graph));
  body.set('canvas-node', node);
  body.set('canvas-site', site);
  if (fields) body.set('canvas-posted', '1');
  if (action) body.set('canvas-do', action);
  return (await post(url, body, signal)) as StepAnswer;
}

export async function readNumbers(url: string): Promise<Record<string, Numbers>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(String(response.status));
  return ((await response.json()) as { numbers: Record<string, Numbers> }).numbers;
}
