// When a ticket is served: the schedule of docs/queue.md, segments of [start, base, rate]. Times in ms; a rate of
// null means no limit, one of 0 a pause.

/** The highest number served at an instant; 0 before the first segment. */
export function served(schedule, at) {
  const segment = schedule.findLast(([start]) => at >= start);
  if (!segment) return 0;
  const [start, base, rate] = segment;
  return rate === null ? Infinity : base + Math.floor(((at - start) * rate) / 1000);
}

function turnWithin([start, base, rate], number) {
  if (rate === null || number <= base) return start;
  return rate ? start + Math.ceil(((number - base) * 1000) / rate) : 0;
}

/** The instant from which a number is served; 0 where a pause hides it. */
export function turnAt(schedule, number) {
  for (const [index, segment] of schedule.entries()) {
    const turn = turnWithin(segment, number);
    const following = schedule[index + 1];
    if (turn && (!following || turn < following[0])) return turn;
  }
  return 0;
}
