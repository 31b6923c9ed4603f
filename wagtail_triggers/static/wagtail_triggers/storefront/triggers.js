/* Tells wagtail_triggers what a visitor does in the shop. No dependency, no eval, no inline code.
 *
 * <script src="…/triggers.js" data-to="/triggers/b/" defer></script>
 *   data-to       where to send (needed)
 *   data-consent  "wait": nothing until triggers.consent(true) is called
 *   data-visitor  "own": this storefront stands elsewhere and keeps the visitor's cookie itself
 *
 * In the page: <div data-triggers-product='{"sku": "A", "name": "Assam"}'>
 *              <div data-triggers-cart='{"cart_id": "7", "lines": [...]}'>
 *              <div data-triggers-search='{"query": "assam", "results": 3}'>
 * or by a call: triggers.track("cart_updated", {cart_id: "7", lines: []}, "7")
 */
(function () {
  "use strict";
  var script = document.currentScript;
  var to = script && script.dataset.to;
  if (!to || window.triggers) return;

  var KINDS = { product: "product_viewed", cart: "cart_updated", search: "search_performed" };
  var KEYS = { product: "sku", cart: "cart_id" };
  var COOKIE = "triggers_visitor";
  var own = script.dataset.visitor === "own";
  var refused = navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true;
  var allowed = !refused && script.dataset.consent !== "wait";
  var waiting = [];
  var told = {};
  var timer = 0;

  function visitor() {
    var found = document.cookie.match(/(?:^|; )triggers_visitor=([0-9a-f]{32})/);
    if (found) return found[1];
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    var value = Array.from(bytes, function (one) {
      return one.toString(16).padStart(2, "0");
    }).join("");
    var secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = COOKIE + "=" + value + "; path=/; max-age=31536000; samesite=lax" + secure;
    return value;
  }

  function flush() {
    clearTimeout(timer);
    timer = 0;
    if (!allowed || !waiting.length) return;
    var said = { events: waiting.splice(0, 20) };
    if (own) said.visitor = visitor();
    // A simple content type: a storefront elsewhere needs no question before it.
    var body = new Blob([JSON.stringify(said)], { type: "text/plain" });
    if (!(navigator.sendBeacon && navigator.sendBeacon(to, body))) {
      fetch(to, { method: "POST", body: body, keepalive: true, credentials: "same-origin" }).catch(
        function () {}
      );
    }
    if (waiting.length) flush();
  }

  function track(name, payload, key) {
    if (refused) return;
    waiting.push({ name: name, payload: payload || {}, key: key === undefined ? "" : String(key) });
    if (waiting.length > 100) waiting.shift();
    if (!timer) timer = setTimeout(flush, 1000);
  }

  function read(node) {
    Object.keys(KINDS).forEach(function (kind) {
      var text = node.getAttribute("data-triggers-" + kind);
      if (!text || told[kind] === text) return;
      told[kind] = text;
      try {
        var payload = JSON.parse(text);
        track(KINDS[kind], payload, payload[KEYS[kind]]);
      } catch (error) {
        console.warn("triggers: data-triggers-" + kind + " is no JSON", error);
      }
    });
  }

  function look() {
    var names = Object.keys(KINDS).map(function (kind) {
      return "data-triggers-" + kind;
    });
    var all = "[" + names.join("],[") + "]";
    document.querySelectorAll(all).forEach(read);
    // A shop that changes its cart without a new page writes the attribute anew.
    new MutationObserver(function () {
      document.querySelectorAll(all).forEach(read);
    }).observe(document.documentElement, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: names,
    });
  }

  function begin() {
    if (own && allowed) visitor();
    track("page_viewed", { url: location.href.split("#")[0].slice(0, 2000), title: document.title });
    look();
  }

  window.triggers = {
    track: track,
    flush: flush,
    consent: function (given) {
      allowed = Boolean(given) && !refused;
      if (!given) waiting = [];
      flush();
    },
  };

  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") flush();
  });
  window.addEventListener("pagehide", flush);
  // A page that a browser draws ahead was not seen by anybody yet.
  if (document.prerendering) document.addEventListener("prerenderingchange", begin, { once: true });
  else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
