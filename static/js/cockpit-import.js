// Shows how far the import of a list is. Without it the form is sent all the same and the answer says the rest.

const form = document.getElementById("import");
const bar = document.getElementById("import-progress");
const said = document.getElementById("import-said");

async function ask() {
  const answer = await fetch(form.dataset.progress).catch(() => null);
  if (answer?.ok) {
    const { done, total, read } = await answer.json();
    if (total) {
      bar.max = total;
      bar.value = done;
      said.textContent = form.dataset.said.replace("{done}", done.toLocaleString()).replace("{total}", total.toLocaleString());
    } else if (read) {
      said.textContent = form.dataset.lines.replace("{read}", read.toLocaleString());
    }
  }
  setTimeout(ask, 500);
}

form.addEventListener("submit", () => {
  bar.hidden = false;
  said.textContent = form.dataset.reading;
  setTimeout(ask, 500);
});
