/* In Wagtail's preview panel: as whom a template is shown. The server keeps the choice and asks for
 * permission; here it is only said, and the preview is asked to draw itself again. */
(() => {
  const PAUSE = 250; // milliseconds of rest before the server is asked

  class ReaderController extends window.StimulusModule.Controller {
    static targets = ['kind', 'search', 'label', 'words', 'found', 'status'];

    static values = { chooseUrl: String, searchUrl: String, nobody: String, failed: String };

    disconnect() {
      clearTimeout(this.timer);
      this.request?.abort();
    }

    kindChosen() {
      const kind = this.kindTarget.value;
      const searches = kind === 'contact' || kind === 'event';
      this.searchTarget.hidden = !searches;
      this.statusTarget.textContent = '';
      if (searches) {
        this.labelTarget.textContent = this.labelTarget.dataset[kind];
        this.wordsTarget.value = '';
        this.wordsTarget.focus();
        this.look();
      } else if (kind) {
        this.choose(kind);
      }
    }

    typed() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), PAUSE);
    }

    /* Enter looks at once, and does not send the page's form. */
    stay(event) {
      event.preventDefault();
      this.look();
    }

    /* The event of the form, which may not have been saved yet. */
    event() {
      return document.querySelector('#w-editor-form [name="event"]')?.value ?? '';
    }

    async look() {
      this.request?.abort();
      this.request = new AbortController();
      const query = new URLSearchParams({
        kind: this.kindTarget.value,
        q: this.wordsTarget.value,
        event: this.event(),
      });
      try {
        const response = await fetch(`${this.searchUrlValue}?${query}`, {
          signal: this.request.signal,
        });
        if (!response.ok) throw new Error(String(response.status));
        this.list((await response.json()).found);
      } catch (error) {
        if (error.name !== 'AbortError') this.statusTarget.textContent = this.failedValue;
      }
    }

    list(found) {
      const items = found.map(({ reader, label, hint }) => {
        const item = document.createElement('li');
        const button = document.createElement('button');
        button.type = 'button';
        button.dir = 'auto';
        button.append(Object.assign(document.createElement('strong'), { textContent: label }));
        if (hint && hint !== label) {
          button.append(Object.assign(document.createElement('span'), { textContent: hint }));
        }
        button.addEventListener('click', () => this.choose(reader, label));
        item.append(button);
        return item;
      });
      this.foundTarget.replaceChildren(...items);
      this.statusTarget.textContent = items.length ? '' : this.nobodyValue;
    }

    async choose(reader, label) {
      const config = window.wagtail?.config ?? window.wagtailConfig ?? {};
      try {
        const response = await fetch(this.chooseUrlValue, {
          method: 'POST',
          body: new URLSearchParams({ reader, event: this.event() }),
          headers: { [config.CSRF_HEADER_NAME ?? 'X-CSRFToken']: config.CSRF_TOKEN ?? '' },
        });
        const answer = await response.json();
        if (!response.ok) {
          this.statusTarget.textContent = answer.problem ?? this.failedValue;
          return;
        }
      } catch {
        this.statusTarget.textContent = this.failedValue;
        return;
      }
      if (label) this.name(label);
      this.redraw();
    }

    /* Wagtail's panel takes no notice while it is still drawing; then it is asked once more. */
    redraw() {
      let began = false;
      const noticed = () => {
        began = true;
      };
      document.addEventListener('w-preview:update', noticed);
      this.dispatch('chosen');
      document.removeEventListener('w-preview:update', noticed);
      if (began) return;
      const again = () => setTimeout(() => this.dispatch('chosen'), 50);
      document.addEventListener('w-preview:loaded', again, { once: true });
    }

    /* A person who was found becomes the select's own choice. */
    name(label) {
      let option = this.kindTarget.querySelector('option[value=""]');
      if (!option) {
        option = new Option('', '');
        this.kindTarget.prepend(option);
      }
      option.textContent = label;
      this.kindTarget.value = '';
      this.searchTarget.hidden = true;
      this.kindTarget.focus();
    }
  }

  window.wagtail.app.register('triggers-reader', ReaderController);
})();
