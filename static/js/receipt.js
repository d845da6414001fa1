/** Keeps the receipt of a reservation where its own page finds it: should the sale's memory be lost before the order
 *  is written, that page gives the unit back to whoever shows it. */
export function keep({ reservation, receipt, now, pay_by: payBy }) {
  if (!receipt) return;
  const isSecure = location.protocol === "https:";
  const seconds = Math.max(60, Math.round((payBy - now) / 1000));
  const parts = [`${isSecure ? "__Secure-" : ""}receipt=${receipt}`, `path=/sales/reservations/${reservation}/`];
  parts.push(`max-age=${seconds}`, "samesite=lax");
  document.cookie = (isSecure ? [...parts, "secure"] : parts).join("; ");
}
