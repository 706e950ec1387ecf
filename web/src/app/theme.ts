export type Theme = "light" | "dark" | "system";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
let chosen: Theme = (() => {
  try {
    return (localStorage.getItem("flowpilot.theme") as Theme | null) ?? "system";
  } catch {
    return "system";
  }
})();

export function currentTheme(): Theme {
  return chosen;
}

/** Stored as a bare word: the script in index.html reads it before anything is drawn. */
export function setTheme(theme: Theme): void {
  chosen = theme;
  try {
    localStorage.setItem("flowpilot.theme", theme);
  } catch {
    // kept for this page only
  }
  apply();
}

function apply(): void {
  document.documentElement.classList.toggle("dark", chosen === "dark" || (chosen === "system" && dark.matches));
  window.dispatchEvent(new Event("flowpilot:theme"));
}

dark.addEventListener("change", apply);
