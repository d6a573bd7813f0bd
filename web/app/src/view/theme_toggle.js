/** Light or dark; untouched, it follows the system. */
import { useEffect, useState } from "preact/hooks";
import { html, useChat } from "./html.js";
import { Icon } from "./icons.js";

const prefersDark = () => window.matchMedia("(prefers-color-scheme: dark)");

export function ThemeToggle() {
  const { storage } = useChat();
  const [theme, setTheme] = useState(storage.theme);
  const [system_dark, setSystemDark] = useState(prefersDark().matches);
  useEffect(() => {
    const query = prefersDark();
    const onChange = () => setSystemDark(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  const dark = theme ? theme === "dark" : system_dark;

  const toggle = () => {
    const wanted = dark ? "light" : "dark";
    const chosen = (wanted === "dark") === system_dark ? null : wanted;
    storage.theme = chosen;
    setTheme(chosen);
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
  };

  return html`
    <button type="button" class="icon-button" data-testid="theme-toggle" aria-label=${dark ? "Use the light theme" : "Use the dark theme"} onClick=${toggle}>
      <${Icon} name=${dark ? "sun" : "moon"} />
    </button>
  `;
}
