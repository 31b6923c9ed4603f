/* Beside a list of snippets: Wagtail's own chooser, and the ways to edit one or to write a new one. */

import type { Translate } from './page';

interface Doors {
  readonly choose: string;
  readonly rows: readonly (readonly [key: string, pk: number])[];
  /** The address of an editor, with 0 in the place of the key. */
  readonly edit?: string;
  readonly add?: string;
}

interface Chosen {
  readonly id: number | string;
}

declare global {
  interface Window {
    ModalWorkflow?: (options: {
      url: string;
      onload: unknown;
      responses: { chosen: (data: Chosen) => void };
    }) => void;
    CHOOSER_MODAL_ONLOAD_HANDLERS?: unknown;
  }
}

function link(label: string): HTMLAnchorElement {
  const made = document.createElement('a');
  made.textContent = label;
  made.target = '_blank';
  made.rel = 'noopener';
  return made;
}

/** Add them below the list, for what the person may do. */
export function addDoors(select: HTMLSelectElement, t: Translate): void {
  const doors = JSON.parse(select.dataset.triggersChooser ?? '{}') as Doors;
  const row = document.createElement('div');
  row.className = 'triggers-doors';
  const open = window.ModalWorkflow;
  if (open && window.CHOOSER_MODAL_ONLOAD_HANDLERS && doors.rows.length > 0) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button button-small button-secondary';
    button.textContent = t('choose');
    button.addEventListener('click', () => {
      open({
        url: doors.choose,
        onload: window.CHOOSER_MODAL_ONLOAD_HANDLERS,
        responses: { chosen: ({ id }) => take(select, doors, id) },
      });
    });
    row.append(button);
  }
  if (doors.edit !== undefined) {
    const edit = link(t('edit_chosen'));
    const address = doors.edit;
    const lead = () => {
      const pk = doors.rows.filter(([key]) => key === select.value).at(-1)?.[1];
      edit.hidden = pk === undefined;
      if (pk !== undefined) edit.href = address.replace('/0/', `/${pk}/`);
    };
    select.addEventListener('change', lead);
    lead();
    row.append(edit);
  }
  if (doors.add !== undefined) {
    const add = link(t('new_one'));
    add.href = doors.add;
    row.append(add);
  }
  if (row.childElementCount > 0) select.after(row);
}

function take(select: HTMLSelectElement, doors: Doors, id: number | string): void {
  const key = doors.rows.find(([, pk]) => String(pk) === String(id))?.[0];
  if (key === undefined || ![...select.options].some((one) => one.value === key)) return;
  select.value = key;
  select.dispatchEvent(new Event('change', { bubbles: true }));
}
