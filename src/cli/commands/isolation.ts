import { RktError } from '../../base/index.ts'
import { type IsolationReport, reportIsolation } from '../../stage1/index.ts'
import { takeNone } from '../arguments.ts'
import type { Context } from '../context.ts'
import { formatJson, parseFormat } from '../format.ts'
import { type IsolationCost, measureCosts, readCosts } from '../measure-isolation.ts'
import type { Invocation } from '../parse/invocation.ts'
import { tabulate } from '../tabulate.ts'

/** Prints what this host can do to keep pods apart, and what that costs. */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { flags } = invocation
  takeNone(invocation)
  const format = parseFormat(flags.text('format'))
  const reports = reportIsolation()
  const costs = flags.bool('measure') ? await measured(context, reports) : readCosts(context)
  if (format === 'table') context.out(tabulate(rows(reports, costs, !flags.bool('no-legend'))))
  else context.out(formatJson(reports.map((report) => json(report, costs.get(report.name))), { pretty: format === 'json-pretty' }))
  return 0
}

function measured(context: Context, reports: readonly IsolationReport[]): Promise<ReadonlyMap<string, IsolationCost>> {
  if (context.euid !== 0) throw new RktError('not-root', 'isolation: cannot run as unprivileged user', { hint: 'without --measure it can' })
  return measureCosts(context, reports.flatMap(({ name, available }) => (available ? [name] : [])))
}

function rows(reports: readonly IsolationReport[], costs: ReadonlyMap<string, IsolationCost>, legend: boolean): string[][] {
  const lines = reports.map(({ name, available, apps, own, note }) => {
    const cost = costs.get(name)
    return [name, available ? 'yes' : 'no', apps, cost === undefined ? '-' : `${cost.startMs} ms`, cost === undefined ? '-' : `${cost.memoryKiB} KiB`, own.join(', '), note]
  })
  return [...(legend ? [['ISOLATION', 'AVAILABLE', 'APPS', 'START', 'MEMORY', 'OF ITS OWN', 'NOTE']] : []), ...lines]
}

function json({ name, available, apps, own, note }: IsolationReport, cost: IsolationCost | undefined): unknown {
  return { name, available, apps, own, note, ...(cost === undefined ? {} : { start_ms: cost.startMs, memory_kib: cost.memoryKiB }) }
}
