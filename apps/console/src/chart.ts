// SPDX-License-Identifier: Apache-2.0
// A chart of one data tag over a sliding window, with the bands in which alarm rules hold.

import uPlot from "uplot";

import type { Point } from "./api";
import { figure, minuteOf, secondOf } from "./language";
import { color } from "./theme";

const maxPoints = 20_000; // Oldest go first; far beyond what a screen shows.
const calmMilliseconds = 1_000; // Between two pictures for who wants less motion.
const bandAlpha = 0.14;
const hysteresisAlpha = 0.06;

/** What was read in a short while; without a value where there is none. */
export interface Reading { time: number; value: number | null; low: number; high: number; count: number; late: number }
export interface Band { name: string; above: boolean; threshold: number; clears: number; critical: boolean }

export const reading = (time: number, value: number | null, late: boolean): Reading =>
  ({ time, value, low: value ?? 0, high: value ?? 0, count: value === null ? 0 : 1, late: late && value !== null ? 1 : 0 });
export const readingOf = (point: Point): Reading =>
  ({ time: Date.parse(point.from) / 1000, value: point.mean, low: point.min, high: point.max, count: point.count, late: point.late });

/** Draws values in time; a longer silence is a visible hole, and what came late has a tone of its own. */
export class TagChart {
  readings: Reading[] = [];
  bands: Band[] = [];
  minutes = 15;
  /** A silence of more seconds is a hole in the line. */
  silence = 5;
  private readonly plot: uPlot;
  private pending = false;
  private drawnAt = 0;

  constructor(private readonly place: HTMLElement, private readonly pointed: (at: Reading | undefined) => void) {
    const axis: uPlot.Axis = {
      stroke: () => color("--soft"), font: "12px system-ui, sans-serif",
      grid: { stroke: () => color("--line"), width: 1 }, ticks: { show: false },
    };
    this.plot = new uPlot(
      {
        ...this.size(), legend: { show: false }, cursor: { drag: { x: false, y: false } },
        axes: [{ ...axis, space: 95, size: 34, values: (_plot, ticks, _axis, _space, step) => ticks.map(step < 60 ? secondOf : minuteOf) },
               { ...axis, size: 58, values: (_, ticks) => ticks.map(figure) }],
        scales: { x: { time: true }, y: { range: (_, low, high) => this.range(low, high) } },
        series: [{}, this.line("--accent", 1.75), this.line("--late", 3.5)],
        hooks: {
          drawClear: [(plot) => this.bands.forEach((band) => shade(plot, band))],
          drawAxes: [(plot) => this.bands.forEach((band) => mark(plot, band))],
          setCursor: [(plot) => this.pointed(plot.cursor.idx == null ? undefined : this.readings[plot.cursor.idx])],
        },
      },
      [[], [], []],
      place,
    );
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(place);
  }

  /** Replace everything; ascending in time. */
  show(readings: Reading[]): void {
    this.readings = [];
    for (const next of readings) this.append(next);
    this.draw();
  }
  /** Append one reading; one that is older than the newest is put in its place. */
  add(next: Reading): void {
    const last = this.readings.at(-1);
    if (!last || last.time <= next.time) {
      this.append(next);
    } else {
      let at = this.readings.length;
      while (at > 0 && this.readings[at - 1]!.time > next.time) at--;
      this.readings.splice(at, 0, next);
    }
    const oldest = Date.now() / 1000 - this.minutes * 60;
    let gone = Math.max(0, this.readings.length - maxPoints);
    while (gone < this.readings.length && this.readings[gone]!.time < oldest) gone++;
    this.readings.splice(0, gone);
    this.draw();
  }
  /** Of a threshold: whether it lies in what the chart shows. */
  shows(value: number): boolean {
    const { min, max } = this.plot.scales["y"]!;
    return min != null && max != null && value >= min && value <= max;
  }
  /** Draw soon; also after a change of bands, theme or language. */
  draw(): void {
    if (this.pending) return;
    this.pending = true;
    const wait = matchMedia("(prefers-reduced-motion: reduce)").matches ? this.drawnAt + calmMilliseconds - performance.now() : 0;
    setTimeout(() => requestAnimationFrame(() => this.picture()), Math.max(0, wait));
  }

  private append(next: Reading): void {
    const last = this.readings.at(-1);
    if (last && last.value !== null && next.time - last.time > this.silence) this.readings.push(reading(last.time + 0.001, null, false));
    this.readings.push(next);
  }
  private picture(): void {
    this.pending = false;
    this.drawnAt = performance.now();
    const all = this.readings;
    const isLate = (at: number) => (all[at]?.late ?? 0) > 0;
    const onTime = all.map((one, at) => (isLate(at) ? null : one.value));
    // The late line reaches to its neighbours, so that a change of tone is no hole.
    const late = all.map((one, at) => (isLate(at) || isLate(at - 1) || isLate(at + 1) ? one.value : null));
    const now = Date.now() / 1000;
    this.plot.batch(() => {
      this.plot.setData([all.map((one) => one.time), onTime, late], false);
      this.plot.setScale("x", { min: now - this.minutes * 60, max: now });
    });
  }
  private line(tone: string, width: number): uPlot.Series {
    return { stroke: () => color(tone), width, points: { show: false }, spanGaps: false };
  }
  /** The values and, where that leaves them room, the thresholds. */
  private range(low: number | null, high: number | null): [number, number] {
    const bounds = this.bands.flatMap((band) => [band.threshold, band.clears]);
    let bottom = low ?? Math.min(0, ...bounds), top = high ?? Math.max(1, ...bounds);
    const room = Math.max(top - bottom, Math.abs(top) * 0.05, 1e-9) * 1.5;
    const [least, most] = [bottom - room, top + room];
    for (const bound of bounds) {
      if (bound >= least && bound <= most) [bottom, top] = [Math.min(bottom, bound), Math.max(top, bound)];
    }
    const pad = Math.max(top - bottom, Math.abs(top) * 0.01, 1e-9) * 0.1;
    return [bottom - pad, top + pad];
  }
  private size(): { width: number; height: number } {
    const width = Math.max(200, this.place.clientWidth);
    return { width, height: width < 500 ? 220 : 300 };
  }
}

/** Where a value of the chart lies on the canvas, kept inside the plot. */
function height(plot: uPlot, value: number): number {
  const { top, height } = plot.bbox;
  return Math.min(top + height, Math.max(top, plot.valToPos(value, "y", true)));
}
const tone = (band: Band): string => color(band.critical ? "--bad" : "--warn");

/** Shade where a rule raises its alarm, and more lightly where it has not cleared yet. */
function shade(plot: uPlot, band: Band): void {
  const { left, top, width, height: whole } = plot.bbox;
  const edge = height(plot, band.threshold), back = height(plot, band.clears), far = band.above ? top : top + whole;
  const pen = plot.ctx;
  pen.save();
  pen.fillStyle = tone(band);
  for (const [from, to, alpha] of [[edge, far, bandAlpha], [back, edge, hysteresisAlpha]] as const) {
    pen.globalAlpha = alpha;
    pen.fillRect(left, Math.min(from, to), width, Math.abs(to - from));
  }
  pen.restore();
}

/** The lines at which an alarm is raised and, dashed, cleared. */
function mark(plot: uPlot, band: Band): void {
  const { left, top, width, height: whole } = plot.bbox;
  const pen = plot.ctx;
  pen.save();
  pen.strokeStyle = tone(band);
  pen.lineWidth = devicePixelRatio;
  for (const [value, dash] of [[band.threshold, []], [band.clears, [4, 4]]] as [number, number[]][]) {
    const y = height(plot, value);
    if (y <= top || y >= top + whole || (dash.length > 0 && band.clears === band.threshold)) continue;
    pen.setLineDash(dash.map((length) => length * devicePixelRatio));
    pen.beginPath();
    pen.moveTo(left, y);
    pen.lineTo(left + width, y);
    pen.stroke();
  }
  pen.restore();
}
