"""`yekta evaluate …`: runs exactly the live code over files, with no engines."""

from cyclopts import App

evaluate = App(name="evaluate", help="Run exactly the live code over files, with no engines.")
evaluate.command(
    "infra.cli.evaluate_rules:rules", name="rules", help="Every signal and every candidate's outcome of rules over a file of events."
)
evaluate.command(
    "infra.cli.evaluate_churn:churn", name="churn", help="Churn models beside the counters, over a log of orders or mixed events."
)
evaluate.command(
    "infra.cli.evaluate_identity:identity", name="identity", help="The duplicates matcher over a table of records, against the truth."
)
