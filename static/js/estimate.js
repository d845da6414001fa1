// Another clock, estimated from samples of it. All times in ms; our own are those of a clock that nobody sets.

const KEPT = 12;
const RESOLUTION = 1; // the shop tells whole ms
const DRIFT = 1e-4; // by which two clocks of ordinary devices may drift apart: 100 millionths

const best = (samples, of) => samples.reduce((one, other) => (of(other) < of(one) ? other : one));

export class Estimate {
  #samples = [];
  #base;
  #rate = 0; // by how much the other clock is faster, as far as that is certain
  #doubt = DRIFT;

  /** Begin with one reading whose error is not known: `there` on the other clock was `here` on ours. */
  constructor(there, here) {
    this.#base = { here, offset: there - here, error: Infinity };
  }

  /** Whether at least one sample was taken. */
  get isKnown() {
    return this.#samples.length > 0;
  }

  /** Take a sample: asked and answered at these times of ours, it was `there` on the other clock meanwhile. */
  add({ asked, answered, there }) {
    const here = (asked + answered) / 2;
    const error = (answered - asked) / 2 + RESOLUTION;
    this.#samples = [...this.#samples, { here, offset: there + RESOLUTION / 2 - here, error }].slice(-KEPT);
    this.#follow();
    // The shortest way there and back wins, until it is so old that drift may have outdone it.
    this.#base = best(this.#samples, (one) => one.error + this.#doubt * (answered - one.here));
  }

  /** Learn the drift from the two samples that tell it most exactly: short ways, long apart. */
  #follow() {
    const newest = this.#samples.at(-1);
    const pairs = this.#samples.slice(0, -1).map((older) => {
      const length = newest.here - older.here;
      return { doubt: (older.error + newest.error) / length, rate: (newest.offset - older.offset) / length };
    });
    if (!pairs.length) return;
    const { doubt, rate } = best(pairs, (pair) => pair.doubt);
    if (Math.abs(rate) > doubt) [this.#rate, this.#doubt] = [rate, doubt];
    else if (doubt < this.#doubt || !this.#rate) [this.#rate, this.#doubt] = [0, DRIFT];
  }

  /** The other clock's time at a time of ours. */
  at(here) {
    return here + this.#base.offset + this.#rate * (here - this.#base.here);
  }

  /** By how much `at(here)` may be wrong, either way. */
  error(here) {
    return this.#base.error + this.#doubt * Math.abs(here - this.#base.here);
  }
}
