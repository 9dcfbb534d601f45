// The workflow file that runs evaluations on every change. Invariant: it is the one that the page about CI shows, and it
// spends nothing on what a change does not touch.

/** Where GitHub Actions looks for it, from the project's root. */
export const WORKFLOW_PATH = '.github/workflows/evals.yml'

/** The workflow for GitHub Actions. */
export const CI_WORKFLOW = `name: evals

on:
  push:
    branches: [main]
  pull_request:

permissions:
  contents: read
  pull-requests: write

jobs:
  evals:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    env:
      OPENAI_API_KEY: \${{ secrets.OPENAI_API_KEY }}
    steps:
      - uses: actions/checkout@v6
        with:
          fetch-depth: 0
      - uses: actions/setup-node@v6
        with:
          node-version: 24
          cache: npm
      - run: npm ci
      - name: Fetch earlier results
        uses: actions/cache/restore@v5
        with:
          path: .stateloop/evals/*.jsonl
          key: evals-\${{ github.run_id }}
          restore-keys: evals-
      - name: Replay recordings
        run: npx stateloop eval --replay-only
      - name: Results for main
        if: github.event_name == 'push'
        run: npx stateloop eval --affected --budget-usd 5
      - name: Gate the change
        if: github.event_name == 'pull_request'
        run: npx stateloop eval --affected --base origin/main --budget-usd 5 --budget-s 600 --report md,junit,html
      - name: Keep results
        if: always()
        uses: actions/cache/save@v5
        with:
          path: .stateloop/evals/*.jsonl
          key: evals-\${{ github.run_id }}
      - name: Comment on the pull request
        if: always() && github.event_name == 'pull_request'
        env:
          GH_TOKEN: \${{ github.token }}
          PR: \${{ github.event.number }}
        run: |
          report=.stateloop/evals/report.md
          test -f "$report" || exit 0
          mark='<!-- stateloop-eval -->'
          id=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PR/comments" --jq ".[] | select(.body | startswith(\\"$mark\\")) | .id" | head -n 1)
          if [ -n "$id" ]; then gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@"$report"
          else gh pr comment "$PR" --body-file "$report"; fi
      - name: Keep the report
        if: always() && github.event_name == 'pull_request'
        uses: actions/upload-artifact@v6
        with:
          name: evals
          path: .stateloop/evals/report.*
          include-hidden-files: true
          if-no-files-found: ignore
`
