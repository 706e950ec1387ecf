import { Link } from "@tanstack/react-router";
import { Activity, AlarmClock, BookOpen, House, Keyboard, LayoutTemplate, PanelLeft, SunMoon, Workflow } from "lucide-react";
import { useState } from "react";

import { Menu } from "../ui/controls";
import { readSetting, writeSetting } from "../lib/storage";
import { t } from "../text";
import { currentTheme, setTheme, type Theme } from "./theme";

const mark = (
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="M5 17.5h5a3 3 0 0 0 3-3v-5a3 3 0 0 1 3-3h.5" fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />
    <circle cx="4.8" cy="17.5" r="2.8" fill="currentColor" />
    <path d="M15.8 2.2 22.6 6.5 15.8 10.8Z" fill="currentColor" />
  </svg>
);

export function Rail({ onShortcuts }: { onShortcuts: () => void }) {
  const [open, setOpen] = useState(() => readSetting("rail", false));
  const [theme, choose] = useState<Theme>(currentTheme);
  const pages = [
    { to: "/", text: t.app.home, Icon: House, exact: true },
    { to: "/workflows", text: t.app.workflows, Icon: Workflow, exact: false },
    { to: "/executions", text: t.app.executions, Icon: Activity, exact: false },
    { to: "/triggers", text: t.app.triggers, Icon: AlarmClock, exact: false },
    { to: "/templates", text: t.app.templates, Icon: LayoutTemplate, exact: false },
  ] as const;
  const toggle = (): void => {
    writeSetting("rail", !open);
    setOpen(!open);
  };
  const themes: [Theme, string][] = [["light", t.app.light], ["dark", t.app.dark], ["system", t.app.system]];
  return (
    <nav className={open ? "rail rail-open" : "rail"} aria-label={t.app.main}>
      <Link to="/" className="brand" activeProps={{ "aria-current": undefined }} aria-label={`${t.app.name} ${t.app.home}`}>
        {mark}
        {open && <span>{t.app.name}</span>}
      </Link>
      <ul>
        {pages.map(({ to, text, Icon, exact }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact }} activeProps={{ "aria-current": "page" }} title={open ? undefined : text} aria-label={text}>
              <Icon className="icon" aria-hidden="true" />
              {open && text}
            </Link>
          </li>
        ))}
      </ul>
      <ul className="rail-end">
        <li>
          <a href="/docs" title={open ? undefined : t.app.documentation} aria-label={t.app.documentation}>
            <BookOpen className="icon" aria-hidden="true" />
            {open && t.app.documentation}
          </a>
        </li>
        <li>
          <button type="button" onClick={onShortcuts} title={open ? undefined : `${t.app.shortcuts}  ?`} aria-label={t.app.shortcuts}>
            <Keyboard className="icon" aria-hidden="true" />
            {open && t.app.shortcuts}
          </button>
        </li>
        <li>
          <Menu
            align="start"
            trigger={
              <button type="button" title={open ? undefined : t.app.theme} aria-label={t.app.theme}>
                <SunMoon className="icon" aria-hidden="true" />
                {open && t.app.theme}
              </button>
            }
            items={themes.map(([value, text]) => ({
              text: value === theme ? <b>{text}</b> : text,
              onSelect: () => {
                setTheme(value);
                choose(value);
              },
            }))}
          />
        </li>
        <li className="rail-toggle">
          <button type="button" onClick={toggle} aria-expanded={open} title={open ? undefined : t.app.openRail} aria-label={open ? t.app.closeRail : t.app.openRail}>
            <PanelLeft className="icon" aria-hidden="true" />
            {open && t.app.closeRail}
          </button>
        </li>
      </ul>
    </nav>
  );
}
