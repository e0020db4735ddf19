/// How pages look, in light and in the dark, on paper and on a phone.
enum PageStyle {
    static let common = """
        :root { color-scheme: light dark; --ink: #1d232b; --faint: #5d6875; --line: #d9dee4; --ground: #fff;
          --card: #f5f7f9; --mark: #2f6fb3; --bad: #b3372f; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e8ed; --faint: #98a3b0; --line: #343c46;
          --ground: #14181d; --card: #1d232a; --mark: #6aa5e0; --bad: #e5776e; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 3rem; background: var(--ground);
          color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
        h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
        p { margin: .25rem 0; }
        .faint { color: var(--faint); }
        .tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
        .tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; }
        .tile b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line);
          overflow-wrap: anywhere; }
        th { color: var(--faint); font-weight: 600; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        """
}
