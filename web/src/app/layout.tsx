import { Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useCommands, useKeyHandler } from "../lib/hooks";
import { t } from "../text";
import { Announcer } from "../ui/announcer";
import { Toasts } from "../ui/toast";
import { Tooltips } from "../ui/tooltip";
import { ErrorBoundary } from "./error_boundary";
import { Palette } from "./palette";
import { Rail } from "./rail";
import { ShortcutSheet } from "./shortcut_sheet";
import { currentTheme, setTheme } from "./theme";

/** The frame around every page: rail, palette, shortcut sheet, toasts. */
export function Layout() {
  const [dialog, setDialog] = useState<"palette" | "shortcuts" | null>(null);
  const navigate = useNavigate();
  useKeyHandler();
  const group = t.shortcutGroups.general;
  useCommands([
    { id: "app.palette", title: t.palette.title, group, keys: ["Mod+K"], scope: "global", run: () => setDialog("palette") },
    { id: "app.shortcuts", title: t.app.shortcuts, group, keys: ["?"], scope: "global", run: () => setDialog("shortcuts") },
    { id: "go.home", title: t.app.home, group, keys: ["G H"], scope: "global", run: () => void navigate({ to: "/" }) },
    { id: "go.workflows", title: t.app.workflows, group, keys: ["G W"], scope: "global", run: () => void navigate({ to: "/workflows" }) },
    { id: "go.executions", title: t.app.executions, group, keys: ["G E"], scope: "global", run: () => void navigate({ to: "/executions" }) },
    { id: "go.templates", title: t.app.templates, group, keys: ["G T"], scope: "global", run: () => void navigate({ to: "/templates" }) },
    { id: "app.theme", title: `${t.app.theme}: ${t.app.light} / ${t.app.dark}`, group, keys: ["Mod+/"], scope: "global", run: () => setTheme(currentTheme() === "dark" ? "light" : "dark") },
  ]);
  return (
    <div className="frame">
      <a className="skip" href="#content">
        {t.app.skip}
      </a>
      <Rail onShortcuts={() => setDialog("shortcuts")} />
      <ErrorBoundary>
        <Outlet />
      </ErrorBoundary>
      <Palette open={dialog === "palette"} onClose={() => setDialog(null)} />
      <ShortcutSheet open={dialog === "shortcuts"} onClose={() => setDialog(null)} />
      <Toasts />
      <Announcer />
      <Tooltips />
    </div>
  );
}
