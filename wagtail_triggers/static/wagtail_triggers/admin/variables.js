/* On the page of a template: a button at every text that takes variables, a dialog to pick one, and
 * below short texts how long they come out. Everything that is shown comes as text from the server,
 * for the event that the template is written for at that moment. */
(() => {
  const PAUSE = 400; // milliseconds of rest before the server is asked to measure
  const LINES = ['subject', 'preheader', 'sms_body', 'push_title', 'push_body', 'push_url'];
  const TAKES = new RegExp(`^(${LINES.join('|')}|onsite_body)$|^body-\\d+-value`);
  const SHOWN = 200;

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.append(...children);
    return element;
  };

  const icon = (name) => {
    const space = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(space, 'svg');
    svg.setAttribute('class', `icon icon-${name}`);
    svg.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS(space, 'use');
    use.setAttribute('href', `#icon-${name}`);
    svg.append(use);
    return svg;
  };

  const isRich = (field) => Boolean(field.draftailEditor);

  /* Whether a field of the form is a text in which Liquid is read. */
  const takesVariables = (field) => {
    if (!TAKES.test(field.name)) return false;
    if (isRich(field) || field.tagName === 'TEXTAREA') return true;
    return field.tagName === 'INPUT' && ['text', 'url', ''].includes(field.getAttribute('type') ?? '');
  };

  /* Where the cursor stands in a rich text, or in place of what is selected there. */
  const insertRich = (field, code) => {
    const editor = field.draftailEditor;
    const { EditorState, Modifier } = window.DraftJS;
    const state = editor.getEditorState();
    const content = Modifier.replaceText(
      state.getCurrentContent(),
      state.getSelection(),
      code,
      state.getCurrentInlineStyle(),
    );
    editor.onChange(EditorState.push(state, content, 'insert-characters'));
    window.setTimeout(() => editor.focus(), 50);
  };

  const insertPlain = (field, code) => {
    const { selectionStart, selectionEnd } = field;
    field.focus();
    field.setRangeText(code, selectionStart ?? field.value.length, selectionEnd ?? field.value.length, 'end');
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
  };

  class Picker {
    constructor(words) {
      this.words = words;
      this.build();
    }

    build() {
      const { words } = this;
      this.search = make('input', {
        type: 'text',
        id: 'triggers-picker-search',
        role: 'combobox',
        'aria-expanded': 'true',
        'aria-controls': 'triggers-picker-list',
        'aria-autocomplete': 'list',
        autocomplete: 'off',
      });
      this.list = make('ul', {
        id: 'triggers-picker-list',
        class: 'triggers-picker__list',
        role: 'listbox',
        'aria-label': words.title,
      });
      this.ways = make('fieldset', { class: 'triggers-picker__ways' });
      this.status = make('p', { class: 'triggers-picker__status', role: 'status' });
      this.insert = make('button', { type: 'button', class: 'button' }, words.insert);
      const cancel = make('button', { type: 'button', class: 'button button-secondary' }, words.cancel);
      this.dialog = make(
        'dialog',
        { class: 'triggers-picker', 'aria-labelledby': 'triggers-picker-title' },
        make('div', { class: 'triggers-picker__inside' }, ...this.parts(cancel)),
      );
      document.body.append(this.dialog);
      this.search.addEventListener('input', () => this.draw());
      this.dialog.addEventListener('keydown', (event) => this.typed(event));
      this.insert.addEventListener('click', () => this.take());
      cancel.addEventListener('click', () => this.dialog.close());
    }

    parts(cancel) {
      const { words } = this;
      return [
        make('h2', { id: 'triggers-picker-title', class: 'triggers-heading' }, words.title),
        make('label', { for: 'triggers-picker-search' }, words.search),
        this.search,
        this.status,
        this.list,
        this.ways,
        make('div', { class: 'triggers-picker__buttons' }, this.insert, cancel),
      ];
    }

    open(loading, insert) {
      this.insertCode = insert;
      this.search.value = '';
      this.all = [];
      this.draw();
      this.status.textContent = this.words.loading;
      this.dialog.showModal();
      this.search.focus();
      loading.then(
        (answer) => {
          this.all = answer.choices;
          this.groups = answer.groups;
          this.draw();
        },
        () => {
          this.status.textContent = this.words.failed;
        },
      );
    }

    found() {
      const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
      return this.all.filter((one) => {
        const said = [one.path, this.groups[one.group], one.label, one.ways[0]?.sample];
        const text = said.join(' ').toLowerCase();
        return words.every((word) => text.includes(word));
      });
    }

    draw() {
      const found = this.found().slice(0, SHOWN);
      const items = [];
      let group = null;
      found.forEach((one, number) => {
        if (one.group !== group) {
          group = one.group;
          items.push(
            make('li', { class: 'triggers-picker__group', role: 'presentation' }, this.groups[group]),
          );
        }
        items.push(this.option(one, number));
      });
      this.list.replaceChildren(...items);
      this.status.textContent = found.length || !this.all.length ? '' : this.words.none;
      this.shown = found;
      this.activate(0);
    }

    option(one, number) {
      const sample = one.ways[0]?.sample;
      const item = make(
        'li',
        { role: 'option', id: `triggers-picker-${number}`, 'aria-selected': 'false' },
        make('strong', {}, one.label),
        make('code', { dir: 'ltr' }, one.path),
        make('span', { dir: 'auto', class: 'triggers-picker__sample' }, sample || this.words.empty),
      );
      item.addEventListener('click', () => this.activate(number));
      item.addEventListener('dblclick', () => this.take());
      return item;
    }

    activate(number) {
      const options = [...this.list.querySelectorAll('[role="option"]')];
      this.active = Math.max(0, Math.min(number, options.length - 1));
      options.forEach((item, place) =>
        item.setAttribute('aria-selected', String(place === this.active)),
      );
      const item = options[this.active];
      this.insert.disabled = !item;
      if (item) {
        this.search.setAttribute('aria-activedescendant', item.id);
        item.scrollIntoView({ block: 'nearest' });
      } else {
        this.search.removeAttribute('aria-activedescendant');
      }
      this.drawWays(this.shown[this.active]);
    }

    /* In which form it is written; the usual one is chosen. */
    drawWays(one) {
      const ways = one?.ways ?? [];
      this.ways.replaceChildren(
        make('legend', {}, this.words.ways),
        ...ways.map(({ code, sample }, number) => {
          const radio = make('input', { type: 'radio', name: 'triggers-picker-way', value: code });
          radio.checked = number === 0;
          return make(
            'label',
            {},
            radio,
            make('code', { dir: 'ltr' }, code),
            make('span', { dir: 'auto', class: 'triggers-picker__sample' }, sample),
          );
        }),
      );
      this.ways.hidden = !ways.length;
    }

    typed(event) {
      const inWays = this.ways.contains(event.target);
      const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
      if (step && !inWays) {
        event.preventDefault();
        this.activate(this.active + step);
      } else if (event.key === 'Enter' && event.target.tagName !== 'BUTTON') {
        event.preventDefault();
        if (!event.isComposing) this.take();
      }
    }

    take() {
      const chosen = this.ways.querySelector('input:checked');
      if (!chosen) return;
      this.dialog.close();
      this.insertCode(chosen.value);
    }
  }

  class VariablesController extends window.StimulusModule.Controller {
    static values = { url: String, measureUrl: String, site: String, locale: String, words: Object };

    connect() {
      this.form = this.element.closest('form');
      if (!this.form) return;
      this.kept = new Map();
      this.dressed = new WeakSet();
      this.typed = this.typed.bind(this);
      this.form.addEventListener('input', this.typed);
      this.form.addEventListener('change', this.typed);
      // Blocks come and go while somebody writes.
      this.observer = new MutationObserver(() => this.dressSoon());
      this.observer.observe(this.form, { childList: true, subtree: true });
      this.dress();
    }

    disconnect() {
      this.observer?.disconnect();
      this.form?.removeEventListener('input', this.typed);
      this.form?.removeEventListener('change', this.typed);
      clearTimeout(this.timer);
      cancelAnimationFrame(this.frame);
      this.picker?.dialog.remove();
    }

    dressSoon() {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.dress());
    }

    dress() {
      [...this.form.elements]
        .filter((field) => field.name && !this.dressed.has(field) && takesVariables(field))
        .forEach((field) => {
          this.dressed.add(field);
          const place = field.closest('.w-field__input') ?? field.parentElement;
          const label = this.form.querySelector(`label[for="${CSS.escape(field.id)}"]`);
          const name = label?.firstChild?.textContent.trim() ?? '';
          const button = make('button', {
            type: 'button',
            class: 'triggers-insert',
            'aria-label': name ? `${this.wordsValue.title}: ${name}` : this.wordsValue.title,
          });
          button.append(icon('code'), this.wordsValue.title);
          button.addEventListener('click', () => this.pick(field));
          place.append(button);
        });
    }

    pick(field) {
      this.picker ??= new Picker(this.wordsValue);
      const insert = isRich(field) ? insertRich : insertPlain;
      this.picker.open(this.load(), (code) => insert(field, code));
    }

    /* What the form says now: it may not have been saved yet. */
    asked() {
      const said = (name) => this.form.elements.namedItem(name)?.value;
      return {
        event: said('event') ?? '',
        site: said('site') || this.siteValue,
        locale: said('locale') || this.localeValue,
      };
    }

    load() {
      const query = new URLSearchParams(this.asked()).toString();
      if (!this.kept.has(query)) {
        const answer = fetch(`${this.urlValue}?${query}`).then((response) => {
          if (!response.ok) throw new Error(String(response.status));
          return response.json();
        });
        answer.catch(() => this.kept.delete(query));
        this.kept.set(query, answer);
      }
      return this.kept.get(query);
    }

    typed(event) {
      const name = event.target.name;
      if (name !== 'event' && !this.hint(name)) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.measure(), PAUSE);
    }

    hint(name) {
      return this.form.querySelector(`[data-triggers-measure="${CSS.escape(name ?? '')}"]`);
    }

    async measure() {
      const config = window.wagtail?.config ?? window.wagtailConfig ?? {};
      const body = new URLSearchParams(this.asked());
      this.form.querySelectorAll('[data-triggers-measure]').forEach((hint) => {
        const name = hint.dataset.triggersMeasure;
        body.set(name, this.form.elements.namedItem(name)?.value ?? '');
      });
      this.measuring?.abort();
      this.measuring = new AbortController();
      try {
        const response = await fetch(this.measureUrlValue, {
          method: 'POST',
          body,
          headers: { [config.CSRF_HEADER_NAME ?? 'X-CSRFToken']: config.CSRF_TOKEN ?? '' },
          signal: this.measuring.signal,
        });
        if (!response.ok) return;
        Object.entries(await response.json()).forEach(([name, html]) => this.tell(name, html));
      } catch (error) {
        // What was measured last stays; saving measures again.
        if (error.name !== 'AbortError') console.warn(error);
      }
    }

    tell(name, html) {
      const parsed = new DOMParser().parseFromString(html, 'text/html').body.children;
      this.hint(name)?.replaceChildren(...parsed);
    }
  }

  window.wagtail.app.register('triggers-variables', VariablesController);
})();
