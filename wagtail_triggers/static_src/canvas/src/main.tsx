/* Mounts the canvas where the page's HTML says so: over the textarea of a journey's graph, or on the
 * page to read. Without this script the textarea is there to be written in. */

import { createRoot, type Root } from 'react-dom/client';
import '@xyflow/react/dist/base.css';
import './canvas.css';
import { App } from './App';
import type { Config } from './page';

interface Targets {
  readonly element: HTMLElement;
  readonly rootTarget: HTMLElement;
  readonly hasTextTarget: boolean;
  readonly textTarget: HTMLElement;
  readonly configValue: Config;
}

const { Controller } = window.StimulusModule;

class CanvasController extends Controller {
  static targets = ['root', 'text'];

  static values = { config: Object };

  private root: Root | undefined;

  private sizes: ResizeObserver | undefined;

  connect(): void {
    const page = this as unknown as Targets;
    const { rootTarget, configValue } = page;
    const text = page.hasTextTarget ? page.textTarget : null;
    const source = text?.querySelector('textarea') ?? null;
    const root = createRoot(rootTarget);
    this.root = root;
    const onView = (isText: boolean) => {
      if (text) text.hidden = !isText;
    };
    const draw = (width: number) =>
      root.render(<App config={configValue} source={source} onView={onView} width={width} />);
    let width = page.element.clientWidth;
    draw(width);
    this.sizes = new ResizeObserver(() => {
      const now = page.element.clientWidth;
      if (now === width || now === 0) return;
      width = now;
      draw(width);
    });
    this.sizes.observe(page.element);
    page.element.classList.add('triggers-canvas--drawn');
  }

  disconnect(): void {
    this.sizes?.disconnect();
    this.root?.unmount();
  }
}

window.wagtail.app.register('triggers-canvas', CanvasController);
