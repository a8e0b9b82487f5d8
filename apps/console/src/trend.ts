// SPDX-License-Identifier: Apache-2.0
// The card of the chart: the curve, its alarm bands, and both in words and as a table.

import { AlarmRule, Point, TagValue } from "./api";
import { Band, Reading, TagChart, reading, readingOf } from "./chart";
import { element, node, options } from "./dom";
import { chosenLanguage, figure, minuteOf, moment, named, t } from "./language";
import { chosenTag, complain, currentService, session, shown, site } from "./site";

const chartPoints = 900;
const reloadMilliseconds = 2_000; // After late values came: how long to wait for more of them.
const windows = [5, 15, 60]; // Minutes.
const slack = 2.5; // Intervals without a value that are no silence yet.

let chart: TagChart | undefined;
let minutes = 15;
let reloading: ReturnType<typeof setTimeout> | undefined;

export async function loadTrend(): Promise<void> {
  chart ??= new TagChart(element("chart"), point);
  chart.minutes = minutes;
  const service = currentService();
  showBands();
  if (!service || !chosenTag()) return show([]);
  const to = Date.now(), from = to - minutes * 60_000;
  const query = new URLSearchParams({ tag: chosenTag(), from: new Date(from).toISOString(), to: new Date(to).toISOString(), points: String(chartPoints) });
  const asked = chosenTag(), span = minutes;
  const { points } = await session.get<{ points: Point[] }>(`${site.root}/edgeservices/${service.id}/history?${query}`);
  if (asked !== chosenTag() || span !== minutes || service.id !== currentService()?.id) return;
  chart.silence = Math.max(slack * intervalOf(asked), (slack * (to - from)) / chartPoints / 1000);
  show(points.filter((one) => one.count > 0).map(readingOf));
}

function show(readings: Reading[]): void {
  chart?.show(readings);
  describe();
}

/** A new value of the chosen data tag. Events tell the newest of a batch: after a silence there may be more to read. */
export function addToTrend(value: TagValue): void {
  if (!chart) return;
  const late = value.late === true, time = Date.parse(value.time) / 1000;
  const before = chart.readings.at(-1)?.time ?? 0;
  chart.add(reading(time, value.quality === "bad" || typeof value.value !== "number" ? null : value.value, late));
  if ((!late && time - before <= chart.silence) || reloading !== undefined) return;
  reloading = setTimeout(() => {
    reloading = undefined;
    loadTrend().catch(complain);
  }, reloadMilliseconds);
}

/** The alarm rules have changed, or another data tag was chosen. */
export function showBands(): void {
  if (!chart) return;
  chart.bands = rulesHere().map((rule): Band => {
    const above = rule.operator === ">";
    return { name: rule.name, above, threshold: rule.threshold, clears: rule.threshold + (above ? -1 : 1) * rule.hysteresis, critical: rule.severity === "critical" };
  });
  chart.draw();
  describe();
}
function rulesHere(): AlarmRule[] {
  const service = currentService()?.id;
  return site.rules.filter((rule) => rule.enabled && rule.tag === chosenTag() && (rule.service === null || rule.service === service));
}

/** The same in words, for who does not see the picture; and what its tones mean. */
export function describe(): void {
  const seen = chart?.readings.filter((one) => one.value !== null) ?? [];
  const count = seen.reduce((sum, one) => sum + one.count, 0), late = seen.reduce((sum, one) => sum + one.late, 0);
  const words = [count === 0 ? t("chart.empty", { minutes }) : t("chart.summary", {
    values: count, lowest: Math.min(...seen.map((one) => one.low)), highest: Math.max(...seen.map((one) => one.high)) })];
  if (late > 0) words.push(t("chart.summary.late", { late }));
  for (const [at, rule] of rulesHere().entries()) {
    const band = chart!.bands[at]!;
    const values = { name: rule.name, severity: named("severity", rule.severity), threshold: rule.threshold };
    words.push(band.above ? t("chart.rule.above", values) : t("chart.rule.below", values));
    if (rule.hysteresis > 0) words.push(t("chart.rule.clears", { clears: band.clears }));
    if (count > 0 && !chart!.shows(rule.threshold)) words.push(t("chart.rule.hidden"));
  }
  element("chart-summary").textContent = words.join(chosenLanguage() === "zh" ? "" : " ");
  const bands = chart?.bands ?? [];
  element("legend-late").hidden = late === 0;
  element("legend-critical").hidden = !bands.some((band) => band.critical);
  element("legend-normal").hidden = !bands.some((band) => !band.critical);
  element("legend-hysteresis").hidden = !bands.some((band) => band.clears !== band.threshold);
  if (element<HTMLDetailsElement>("chart-table").open) tabulate(seen);
}

/** A row per minute, the newest first. */
function tabulate(seen: Reading[]): void {
  const byMinute = new Map<number, Reading[]>();
  for (const one of seen) {
    const minute = Math.floor(one.time / 60) * 60;
    byMinute.set(minute, [...(byMinute.get(minute) ?? []), one]);
  }
  element("chart-rows").replaceChildren(...[...byMinute].reverse().map(([minute, all]) => {
    const made = document.createElement("tr");
    const count = all.reduce((sum, one) => sum + one.count, 0);
    const numbers = [Math.min(...all.map((one) => one.low)), Math.max(...all.map((one) => one.high)),
      all.reduce((sum, one) => sum + one.value! * one.count, 0) / count, all.reduce((sum, one) => sum + one.late, 0)];
    made.append(node("td", minuteOf(minute)), ...numbers.map((number) => node("td", figure(number), "number")));
    return made;
  }));
}

/** What lies under the pointer. */
function point(at: Reading | undefined): void {
  element("pointed").textContent = at === undefined || at.value === null ? "" :
    [moment(at.time * 1000), shown(at.value), at.late > 0 ? t("chart.legend.late") : ""].filter(Boolean).join(" · ");
}

function intervalOf(path: string): number {
  const [driverName, groupName] = path.split("/");
  const driver = currentService()?.config.drivers.find((each) => each.name === driverName);
  return (driver?.groups.find((group) => group.name === groupName)?.interval_ms ?? 1_000) / 1_000;
}

/** Another stretch of time was chosen. */
export function chooseWindow(chosen: string): void {
  minutes = Number(chosen);
  renderTrend();
  loadTrend().catch(complain);
}

/** In the language and theme of the moment. */
export function renderTrend(): void {
  element("chart-title").textContent = t("chart.title", { minutes });
  options(element<HTMLSelectElement>("minutes"), windows.map((each) => [String(each), t("chart.minutes", { minutes: each })]));
  element<HTMLSelectElement>("minutes").value = String(minutes);
  chart?.draw();
  describe();
}
