/* Small comforts. Every form works without them. */
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  document.querySelectorAll("form[data-autosubmit]").forEach(function (form) {
    form.addEventListener("change", function () { form.requestSubmit(); });
  });

  document.querySelectorAll("[data-stepper]").forEach(function (stepper) {
    var input = stepper.querySelector("input[type=number]");
    var label = stepper.querySelector("label").textContent.trim();
    var row = document.createElement("span");
    row.className = "stepper__row";
    input.before(row);
    function button(sign, step, words) {
      var made = document.createElement("button");
      made.type = "button";
      made.textContent = sign;
      made.setAttribute("aria-label", words + ": " + label);
      made.addEventListener("click", function () {
        var before = input.value;
        if (step > 0) { input.stepUp(); } else { input.stepDown(); }
        if (input.value !== before) { input.dispatchEvent(new Event("change", { bubbles: true })); }
      });
      return made;
    }
    row.append(button("−", -1, "Fewer"), input, button("+", 1, "More"));
  });

  /* The mail's frame runs no scripts; its height is measured from here. */
  document.querySelectorAll("iframe[data-fit]").forEach(function (frame) {
    function fit() {
      var page = frame.contentDocument;
      if (page && page.documentElement) {
        frame.style.height = "0";
        frame.style.height = Math.max(320, page.documentElement.scrollHeight + 2) + "px";
      }
    }
    frame.addEventListener("load", fit);
    window.addEventListener("resize", fit);
    fit();
  });

  /* The demo bar says when a mail has come in. */
  var post = document.querySelector("[data-mails]");
  if (post && window.fetch) {
    window.setInterval(function () {
      if (document.hidden) { return; }
      fetch(post.dataset.mails, { credentials: "same-origin" }).then(function (answer) {
        return answer.ok ? answer.json() : null;
      }).then(function (now) {
        if (!now) { return; }
        post.querySelector("[data-count]").textContent = now.mails;
        var fresh = document.querySelector("[data-fresh]");
        if (fresh && now.mails > Number(fresh.dataset.fresh)) { fresh.hidden = false; }
      }).catch(function () { /* the shop is being stopped */ });
    }, 2000);
  }
})();
