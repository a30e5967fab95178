// Lets who types a password look at it.
for (const field of document.querySelectorAll('input[type="password"]')) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "show";
  button.setAttribute("aria-controls", field.id);
  const show = (visible) => {
    field.type = visible ? "text" : "password";
    button.textContent = visible ? "Hide" : "Show";
    button.setAttribute("aria-label", (visible ? "Hide " : "Show ") + field.labels[0].textContent.toLowerCase());
  };
  button.addEventListener("click", () => show(field.type === "password"));
  // Hidden again when it is sent, or browsers would keep it as a text.
  field.form.addEventListener("submit", () => show(false));
  show(false);
  field.after(button);
}
