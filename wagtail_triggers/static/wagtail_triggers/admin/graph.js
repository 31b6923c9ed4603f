/* The editor of a journey's graph: says at once whether the JSON can be read, and keeps the outline
 * beside it up to date. The textarea stays the one form control; without this file it still works. */
(() => {
  const PAUSE = 400; // milliseconds of rest before the server is asked

  class GraphController extends window.StimulusModule.Controller {
    static targets = ['source', 'outline', 'status'];

    static values = { url: String, site: String, failed: String };

    disconnect() {
      clearTimeout(this.timer);
      this.request?.abort();
    }

    changed() {
      this.mark();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.refresh(), PAUSE);
    }

    /* Tab leaves the field, as everywhere; Enter keeps the indentation of the line. */
    typed(event) {
      if (event.key !== 'Enter' || event.isComposing || event.shiftKey) return;
      const { value, selectionStart, selectionEnd } = this.sourceTarget;
      const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart);
      const deeper = /[[{]\s*$/.test(line) ? '  ' : '';
      const inserted = `\n${line.match(/^\s*/)[0]}${deeper}`;
      event.preventDefault();
      this.sourceTarget.setRangeText(inserted, selectionStart, selectionEnd, 'end');
      this.sourceTarget.dispatchEvent(new Event('input', { bubbles: true }));
    }

    mark() {
      let valid = true;
      try {
        JSON.parse(this.sourceTarget.value || '{}');
      } catch {
        valid = false;
      }
      this.sourceTarget.classList.toggle('triggers-graph__invalid', !valid);
      if (valid) this.sourceTarget.removeAttribute('aria-invalid');
      else this.sourceTarget.setAttribute('aria-invalid', 'true');
    }

    async refresh() {
      this.request?.abort();
      this.request = new AbortController();
      const config = window.wagtail?.config ?? window.wagtailConfig ?? {};
      const body = new URLSearchParams({ graph: this.sourceTarget.value, site: this.site() });
      try {
        const response = await fetch(this.urlValue, {
          method: 'POST',
          body,
          headers: { [config.CSRF_HEADER_NAME ?? 'X-CSRFToken']: config.CSRF_TOKEN ?? '' },
          signal: this.request.signal,
        });
        if (!response.ok) throw new Error(String(response.status));
        this.show(await response.json());
      } catch (error) {
        if (error.name !== 'AbortError') this.statusTarget.textContent = this.failedValue;
      }
    }

    /* While the text is no JSON, the last outline stays, marked as old, under what is wrong. */
    show({ html, readable }) {
      const parsed = [...new DOMParser().parseFromString(html, 'text/html').body.children];
      const outline = this.outlineTarget;
      if (readable) {
        outline.replaceChildren(...parsed);
      } else {
        outline.querySelectorAll('[data-fault]').forEach((element) => element.remove());
        parsed.forEach((element) => element.toggleAttribute('data-fault', true));
        outline.prepend(...parsed);
      }
      outline.classList.toggle('triggers-graph__outline--old', !readable);
      const summary = this.outlineTarget.querySelector('p');
      this.statusTarget.textContent = summary ? summary.textContent.trim() : '';
    }

    /* The site chosen in the form, where there is a choice. */
    site() {
      const field = this.sourceTarget.form?.elements.namedItem('site');
      return field?.value || this.siteValue;
    }

    /* From a line of the outline to its node in the text. */
    find(event) {
      const { node } = event.currentTarget.dataset;
      const place = new RegExp(`"id"\\s*:\\s*${JSON.stringify(node)}`).exec(this.sourceTarget.value);
      if (!place) return;
      event.preventDefault();
      const field = this.sourceTarget;
      field.focus();
      field.setSelectionRange(place.index, place.index + place[0].length);
      const line = field.value.slice(0, place.index).split('\n').length;
      const lines = field.value.split('\n').length;
      field.scrollTop = (line / lines) * field.scrollHeight - field.clientHeight / 2;
    }
  }

  window.wagtail.app.register('triggers-graph', GraphController);
})();
