/** Live state over WebSocket: a snapshot, then numbered deltas; after a lost connection it resumes at the last number it has. */

export type LiveState = "connecting" | "live" | "offline" | "gone";
export type LiveMessage = { type: string; seq?: number } & Record<string, unknown>;

type Options = {
  path: string;
  resumable: boolean;
  onMessage: (message: LiveMessage) => void;
  onState: (state: LiveState) => void;
};

const firstDelay = 250;
const longestDelay = 8000;

/** Opens the feed; returns what closes it. A feed the server does not know (4404) is `gone` and not tried again. */
export function openFeed({ path, resumable, onMessage, onState }: Options): () => void {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: number | undefined;
  let delay = firstDelay;
  let closed = false;

  const connect = (): void => {
    onState("connecting");
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (resumable && last !== undefined) url.searchParams.set("after", String(last));
    const opened = new WebSocket(url);
    socket = opened;
    opened.onopen = () => onState("live");
    opened.onmessage = (event: MessageEvent<string>) => {
      delay = firstDelay;
      const message = JSON.parse(event.data) as LiveMessage;
      if (message.type === "resync") {
        last = undefined; // too much was missed: take a snapshot
        opened.close();
        return;
      }
      if (resumable && message.type !== "snapshot" && message.seq !== undefined && last !== undefined) {
        if (message.seq <= last) return;
        if (message.seq !== last + 1) {
          last = undefined;
          opened.close();
          return;
        }
      }
      if (message.seq !== undefined) last = message.seq;
      onMessage(message);
    };
    opened.onclose = (event) => {
      if (closed || socket !== opened) return;
      if (event.code === 4404) {
        onState("gone");
        return;
      }
      onState("offline");
      timer = setTimeout(connect, delay * (0.75 + Math.random() / 2));
      delay = Math.min(delay * 2, longestDelay);
    };
  };
  const wake = (): void => {
    if (closed || socket?.readyState !== WebSocket.CLOSED) return;
    clearTimeout(timer);
    delay = firstDelay;
    connect();
  };
  window.addEventListener("online", wake);
  connect();
  return () => {
    closed = true;
    clearTimeout(timer);
    window.removeEventListener("online", wake);
    socket?.close();
  };
}
