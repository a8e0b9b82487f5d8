// SPDX-License-Identifier: Apache-2.0
// A chart of one data tag over a sliding window.

import uPlot from "uplot";

const windowSeconds = 15 * 60;
const maxPoints = 20_000; // Oldest go first; far beyond what a screen shows.

/** Draws values in time; an interval without data is a visible hole. */
export class TagChart {
  private times: number[] = [];
  private values: (number | null)[] = [];
  private readonly plot: uPlot;
  private pending = false;

  constructor(private readonly place: HTMLElement) {
    const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
    this.plot = new uPlot(
      {
        width: this.width(), height: 300, legend: { show: false }, cursor: { drag: { x: false, y: false } },
        axes: [axis, { ...axis, size: 60 }],
        scales: { x: { time: true }, y: { range: { min: { pad: 0.1 }, max: { pad: 0.1 } } } },
        series: [{}, { stroke: color("--accent"), width: 1.5, points: { show: false }, spanGaps: false }],
      },
      [[], []],
      place,
    );
    new ResizeObserver(() => this.plot.setSize({ width: this.width(), height: 300 })).observe(place);
  }

  /** Replace everything; times in seconds, ascending, null where there is no data. */
  show(times: number[], values: (number | null)[]): void {
    this.times = times;
    this.values = values;
    this.draw();
  }
  /** Append one value; one that is older than the newest is put in its place. */
  add(time: number, value: number | null): void {
    let at = this.times.length;
    while (at > 0 && this.times[at - 1]! > time) at--;
    this.times.splice(at, 0, time);
    this.values.splice(at, 0, value);
    const oldest = Date.now() / 1000 - windowSeconds;
    while (this.times.length > maxPoints || (this.times[0] ?? oldest) < oldest) {
      this.times.shift();
      this.values.shift();
    }
    this.draw();
  }

  private draw(): void {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const now = Date.now() / 1000;
      this.plot.batch(() => {
        this.plot.setData([this.times, this.values], true);
        this.plot.setScale("x", { min: now - windowSeconds, max: now });
      });
    });
  }
  private width(): number { return Math.max(200, this.place.clientWidth); }
}
