// Says beside the form of a sale what the plan comes to, a moment after each change. Without it: after saving.

const plan = document.getElementById("plan");
const said = document.getElementById("plan-said");
const form = plan.closest("form") ?? document.getElementById("sale_form");
let timer = 0;
let asked = 0;

async function ask() {
  const data = new FormData(form);
  data.set("sale", plan.dataset.sale);
  const mine = ++asked;
  const answer = await fetch(plan.dataset.said, { method: "POST", body: data }).catch(() => null);
  if (answer?.ok && mine === asked) said.innerHTML = await answer.text();
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, 400);
});
