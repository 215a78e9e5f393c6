"""``python -m sample_crm``: build the sample CRM from a shell."""

import sys
from datetime import datetime

import click

from sample_crm.building import build
from sample_crm.scale import SCALES, ScaleName
from sample_crm.schema import DEFAULT_PREFIX
from sample_crm.target import SampleError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", required=True, help="sqlite:///path or mysql://user:password@host:port/db[?unix_socket=PATH]")
@click.option("--scale", type=click.Choice(list(SCALES)), default="demo", show_default=True, help="How much to make.")
@click.option("--seed", type=int, default=2026, show_default=True, help="Another seed, another CRM.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day the CRM lives in.  [default: today]")
@click.option("--prefix", default=DEFAULT_PREFIX, show_default=True, help="What table names begin with.")
@click.option("--replace", is_flag=True, help="Drop the CRM's tables that are there already.")
def main(url: str, scale: ScaleName, seed: int, today: datetime | None, prefix: str, replace: bool) -> None:
    """Fill an empty database with a made-up Perfex CRM."""
    try:
        summary = build(
            url,
            scale=scale,
            seed=seed,
            today=today.date() if today else None,
            prefix=prefix,
            progress=lambda step: click.echo(f"  {step}", err=True),
            replace=replace,
        )
    except SampleError as refused:
        click.echo(f"Error: {refused}", err=True)
        sys.exit(1)
    click.echo(f"{summary.total:,} rows in {summary.target} as of {summary.today} ({summary.seconds:.1f} s)")


if __name__ == "__main__":
    main()
