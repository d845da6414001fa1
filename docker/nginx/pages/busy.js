// Asks gently whether there is room, each page at its own times, and goes on by itself.
const AT_LEAST = 4000; // ms between two questions, and as much again at random
const SLOWEST = 60000;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function hasRoom() {
  try {
    const answer = await fetch("/edge/room", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    return answer.status === 204;
  } catch {
    return false;
  }
}

for (let pause = AT_LEAST; ; pause = Math.min(SLOWEST, pause * 1.3)) {
  await wait(pause * (1 + Math.random()));
  if (!document.hidden && (await hasRoom())) {
    location.reload();
    break;
  }
}
