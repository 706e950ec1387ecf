/** Charts of the home page, on uPlot; each can be read as a table instead. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";

type Series = { label: string; colour: string; values: (number | null)[]; dash?: number[]; fill?: boolean };
type Props = { times: number[]; range: [number, number]; series: Series[]; bars?: boolean; format: (value: number) => string; label: string };

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** The hour, or the day on an axis of more than two. */
function moment(seconds: number, [from, to]: [number, number]): string {
  return (to - from > 2 * 86_400 + 7200 ? day : clock).format(seconds * 1000);
}

export function Chart({ times, range, series, bars = false, format, label }: Props) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current!;
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      const axis: uPlot.Axis = { stroke: colour("--text-3"), grid: { stroke: colour("--chart-grid"), width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
      plot = new uPlot(
        {
          width: Math.max(120, element.clientWidth),
          height: 160,
          legend: { show: false },
          cursor: { y: false, points: { show: !bars } },
          padding: [8, 8, 0, 0],
          scales: { x: { time: true, range: () => range }, y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
          axes: [{ ...axis, grid: { show: false }, space: 64, values: (_plot, values) => values.map((value) => moment(value, range)) }, { ...axis, size: 52, values: (_plot, values) => values.map((value) => format(value)) }],
          series: [
            {},
            ...series.map((line): uPlot.Series => ({
              label: line.label,
              stroke: colour(line.colour),
              width: bars ? 1 : 2,
              ...(line.dash ? { dash: line.dash } : {}),
              ...(bars ? { fill: colour(line.colour), paths: uPlot.paths.bars!({ size: [0.7, 28] }), points: { show: false } } : { points: { show: times.length < 3 } }),
            })),
          ],
        },
        [times, ...series.map((line) => line.values)] as uPlot.AlignedData,
        element,
      );
    };
    draw();
    const observer = new ResizeObserver(() => plot?.setSize({ width: Math.max(120, element.clientWidth), height: 160 }));
    observer.observe(element);
    window.addEventListener("flowpilot:theme", draw);
    return () => {
      observer.disconnect();
      window.removeEventListener("flowpilot:theme", draw);
      plot?.destroy();
    };
  }, [times, range, series, bars, format]);
  return <div ref={host} className="plot" role="img" aria-label={label} />;
}
