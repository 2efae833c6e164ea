// One key each: whatever carries data-key is pressed by that key, unless somebody is writing.
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const place = /^Key([A-Z])$/.exec(event.code);
  document.querySelector(`[data-key="${place ? place[1].toLowerCase() : CSS.escape(event.key)}"]`)?.click();
});
