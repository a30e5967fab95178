// Each password can be seen by a button beside it. Without this all works but that.
for (const input of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  const label = input.labels[0].textContent.toLowerCase();
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${label}`);
  };
  button.type = "button";
  button.className = "show";
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => show(input.type === "password"));
  // So that the browser does not keep it as it keeps texts.
  input.form.addEventListener("submit", () => show(false));
  show(false);
  input.after(button);
}
