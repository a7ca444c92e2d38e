// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz what A653_IOC_LOAD hands to the kernel
 *
 * The input is read in one of two ways. Raw: it is the structures, byte for
 * byte, as many as there are bytes for. Grammar: each byte is a choice that
 * leads to a table which is nearly right (names that are names, times that are
 * multiples of the shortest window), and now and then pokes a number that is
 * not into it. The first finds what noise can do, the second gets deep.
 *
 * A configuration may be refused; then each violation must make sense. If it
 * is accepted, its frame tables are built and must be sound. Each array lies
 * in memory of exactly its size, so that ASan sees one element too far.
 */
#include "a653_host.h"

#include "a653_frame.h"
#include "rtds_server.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define TICK		A653_MIN_WINDOW_NS
#define MAX_COUNT	40

struct input {
	const u8 *data;
	size_t size;
};

static u8 take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static u64 take64(struct input *in)
{
	u64 x = 0;
	int i;

	for (i = 0; i < 8; i++)
		x = x << 8 | take(in);
	return x;
}

static void take_bytes(struct input *in, void *to, size_t size)
{
	size_t n = min(size, in->size);

	if (n)
		memcpy(to, in->data, n);
	in->data += n;
	in->size -= n;
}

static void must(bool cond, const char *what)
{
	if (cond)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

#define MUST(cond)	must(cond, #cond)

static void *array(size_t nr, size_t size)
{
	void *mem = calloc(nr, size);

	/* An empty array has no element that could be read */
	MUST(mem || !nr);
	return mem;
}

/* As the device gets it: the head first, then what the head says is there */
struct load {
	struct a653_conf conf;
	struct a653_limits limits;
	u64 *cpus;
	struct a653_partition *partitions;
	struct a653_schedule *schedules;
	struct a653_window *windows;
	struct a653_budget *budgets;
};

static void alloc_load(struct load *l, u32 nr_cpu_words, u32 nr_partitions,
		       u32 nr_schedules, u32 nr_windows, u32 nr_budgets)
{
	struct a653_config *cfg = &l->conf.cfg;

	cfg->nr_cpu_words = nr_cpu_words;
	cfg->nr_partitions = nr_partitions;
	cfg->nr_schedules = nr_schedules;
	cfg->nr_windows = nr_windows;
	cfg->nr_budgets = nr_budgets;
	l->cpus = array(nr_cpu_words, sizeof(*l->cpus));
	l->partitions = array(nr_partitions, sizeof(*l->partitions));
	l->schedules = array(nr_schedules, sizeof(*l->schedules));
	l->windows = array(nr_windows, sizeof(*l->windows));
	l->budgets = array(nr_budgets, sizeof(*l->budgets));
	l->conf.cpus = l->cpus;
	l->conf.partitions = l->partitions;
	l->conf.schedules = l->schedules;
	l->conf.windows = l->windows;
	l->conf.budgets = l->budgets;
}

static void free_load(struct load *l)
{
	free(l->cpus);
	free(l->partitions);
	free(l->schedules);
	free(l->windows);
	free(l->budgets);
}

static void read_raw(struct input *in, struct load *l)
{
	struct a653_config *cfg = &l->conf.cfg;
	u8 counts[5];

	l->limits.nr_cpus = take(in);
	l->limits.min_slack_pct = take(in);
	take_bytes(in, counts, sizeof(counts));
	take_bytes(in, cfg, sizeof(*cfg));
	alloc_load(l, counts[0] % 4, counts[1] % MAX_COUNT,
		   counts[2] % (A653_MAX_SCHEDULES + 2), counts[3] % MAX_COUNT,
		   counts[4] % MAX_COUNT);
	take_bytes(in, l->cpus, cfg->nr_cpu_words * sizeof(*l->cpus));
	take_bytes(in, l->schedules, cfg->nr_schedules * sizeof(*l->schedules));
	take_bytes(in, l->partitions,
		   cfg->nr_partitions * sizeof(*l->partitions));
	take_bytes(in, l->windows, cfg->nr_windows * sizeof(*l->windows));
	take_bytes(in, l->budgets, cfg->nr_budgets * sizeof(*l->budgets));
}

/* A time on the grid, or, for a byte that says so, just about any number */
static u64 take_time(struct input *in, u32 ticks)
{
	u8 byte = take(in);

	switch (byte) {
	case 255:
		return take64(in);
	case 254:
		return U64_MAX - take(in);
	case 253:
		return (u64)take(in) * TICK + 1;
	case 252:
		return (u64)take(in) * TICK - 1;
	case 251:
		return A653_MAX_MAJOR_FRAME_NS - (u64)take(in) * TICK;
	default:
		return (u64)(byte % (ticks + 1)) * TICK;
	}
}

static u32 take_index(struct input *in, u32 nr)
{
	u8 byte = take(in);

	if (byte == 255)
		return take64(in);
	return nr ? byte % nr : 0;
}

static void take_name(struct input *in, char *name, char kind, u32 index)
{
	u8 byte = take(in);

	if (byte >= 250)
		take_bytes(in, name, byte == 255 ? A653_NAME_LEN : 4);
	else
		snprintf(name, A653_NAME_LEN, "%c%u", kind, index);
}

static void read_grammar(struct input *in, struct load *l)
{
	static const u32 cpu[] = { 0, 1, 2, 63, 64, 127 };
	u32 nr_partitions, nr_schedules, nr_windows = 0, nr_budgets, ticks;
	u32 i, s, left;
	struct a653_config *cfg = &l->conf.cfg;
	u8 nr[A653_MAX_SCHEDULES];
	struct a653_partition *p;
	struct a653_window *w;
	struct a653_budget *b;

	l->limits.nr_cpus = take(in) == 255 ? take(in) : 128;
	l->limits.min_slack_pct = take(in) % 8 * 5;
	nr_partitions = 1 + take(in) % 6;
	nr_schedules = 1 + take(in) % 4;
	for (s = 0; s < nr_schedules; s++) {
		nr[s] = take(in) % 10;
		nr_windows += nr[s];
	}
	nr_budgets = take(in) % 12;
	alloc_load(l, 2, nr_partitions, nr_schedules, nr_windows, nr_budgets);
	cfg->clock = take(in) & 1 ? CLOCK_TAI : CLOCK_MONOTONIC;
	cfg->initial = take_index(in, nr_schedules);
	take_name(in, cfg->module, 'm', 0);
	for (i = 0; i < ARRAY_SIZE(cpu); i++)
		l->cpus[cpu[i] / 64] |= 1ULL << (cpu[i] % 64);

	for (i = 0; i < nr_partitions; i++) {
		p = &l->partitions[i];
		take_name(in, p->name, 'p', i);
		if (take(in) & 1)
			continue;
		p->period_ns = take_time(in, 24);
		p->duration_ns = take_time(in, 6);
	}
	w = l->windows;
	for (s = 0; s < nr_schedules; s++) {
		take_name(in, l->schedules[s].name, 's', s);
		ticks = 1 + take(in) % 48;
		l->schedules[s].major_frame_ns = ticks * TICK;
		l->schedules[s].flags = take_index(in, 2);
		l->schedules[s].nr_windows = nr[s];
		for (i = 0; i < nr[s]; i++, w++) {
			w->partition = take_index(in, nr_partitions);
			w->cpu = cpu[take(in) % ARRAY_SIZE(cpu)];
			w->offset_ns = take_time(in, ticks - 1);
			left = 1 + ticks / 4;
			w->duration_ns = TICK + take_time(in, left - 1);
			w->flags = take_index(in, 2);
		}
	}
	/* Those of a partition are the same, unless a byte says otherwise */
	for (b = l->budgets; b < l->budgets + nr_budgets; b++) {
		b->partition = take_index(in, nr_partitions);
		b->cpu = cpu[take(in) % ARRAY_SIZE(cpu)];
		b->budget_ns = TICK / 10 * (1 + b->partition % 4);
		b->period_ns = TICK * (1 + b->partition % 3);
		if (take(in) & 1)
			continue;
		b->budget_ns = take_time(in, 8);
		b->period_ns = take_time(in, 24);
		b->flags = take_index(in, 2);
	}
	/* And a last word: one number anywhere in the head or the schedules */
	switch (take(in)) {
	case 255:
		take_bytes(in, (u8 *)cfg + take(in) % (sizeof(*cfg) - 8), 4);
		cfg->nr_cpu_words = 2;
		cfg->nr_partitions = nr_partitions;
		cfg->nr_schedules = nr_schedules;
		cfg->nr_windows = nr_windows;
		cfg->nr_budgets = nr_budgets;
		break;
	case 254:
		l->schedules[take(in) % nr_schedules].nr_windows = take64(in);
		break;
	case 253:
		l->schedules[take(in) % nr_schedules].major_frame_ns =
			take_time(in, 255);
		break;
	}
}

struct reports {
	const struct load *load;
	int nr;
	int stop_after;
};

static bool valid_index(u32 index, u32 nr)
{
	return index == A653_NOBODY || index < nr;
}

static bool report(void *ctx, const struct a653_violation *v)
{
	struct reports *reports = ctx;
	const struct a653_config *cfg = &reports->load->conf.cfg;
	size_t len = strnlen(v->text, sizeof(v->text)), i;

	MUST(v->err == EINVAL || v->err == E2BIG || v->err == EOVERFLOW ||
	     v->err == EEXIST || v->err == EBUSY);
	MUST(valid_index(v->partition, cfg->nr_partitions));
	MUST(valid_index(v->schedule, cfg->nr_schedules));
	MUST(valid_index(v->window, cfg->nr_windows));
	MUST(valid_index(v->other, cfg->nr_windows));
	MUST(valid_index(v->budget, cfg->nr_budgets));
	MUST(len && len < sizeof(v->text) - 1);
	for (i = 0; i < len; i++)
		MUST(v->text[i] >= ' ' && v->text[i] <= '~');
	for (; i < sizeof(v->text); i++)
		MUST(!v->text[i]);
	return ++reports->nr != reports->stop_after;
}

/* Whatever the base: segments follow each other and are found again */
static void walk_frame(const struct a653_frame *f, s64 base_ns, s64 t_ns)
{
	struct a653_pos pos, next;
	u32 i;

	a653_frame_locate(f, base_ns, t_ns, &pos);
	for (i = 0; i < 2 * f->nr_segs + 1; i++) {
		MUST(pos.seg < f->nr_segs);
		MUST(pos.frame_ns <= pos.start_ns && pos.start_ns <= pos.end_ns);
		if (pos.end_ns == S64_MAX)
			return;
		next = pos;
		a653_frame_next(f, &next);
		MUST(next.start_ns == pos.end_ns);
		MUST(a653_frame_skipped(f, &pos, &next, next.seg) == 0);
		a653_frame_locate(f, base_ns, pos.end_ns, &pos);
		MUST(pos.seg == next.seg && pos.start_ns == next.start_ns &&
		     pos.end_ns == next.end_ns);
		MUST(pos.frame_ns == next.frame_ns ||
		     next.frame_ns == S64_MIN);
		a653_frame_locate(f, base_ns, pos.start_ns - 1, &next);
		MUST(next.end_ns == pos.start_ns);
		t_ns = a653_frame_boundary(f->major_ns, base_ns, pos.start_ns);
		MUST(t_ns >= base_ns && t_ns >= pos.start_ns);
		if (pos.start_ns <= base_ns)
			MUST(t_ns == base_ns);
		else if (pos.seg == 0)
			MUST(t_ns == pos.start_ns);
		else if (t_ns != S64_MAX)
			MUST(t_ns == pos.frame_ns + (s64)f->major_ns);
	}
}

static void check_frame(const struct load *l, u32 schedule, u32 cpu,
			u32 *scratch, struct input *in)
{
	const struct a653_conf *conf = &l->conf;
	u32 nr_segs = a653_frame_max_segs(conf, schedule, cpu);
	u32 windows = 0, nr = 0, i;
	struct a653_frame *f;
	u64 open_ns = 0, sum_ns = 0, end_ns;

	f = malloc(sizeof(*f) + nr_segs * sizeof(f->seg[0]));
	MUST(f);
	a653_frame_build(conf, schedule, cpu, scratch, f);
	MUST(f->nr_segs >= 1 && f->nr_segs <= nr_segs);
	MUST(f->seg[0].start_ns == 0);
	MUST(f->major_ns == l->schedules[schedule].major_frame_ns);
	for (i = 0; i < f->nr_segs; i++) {
		end_ns = i + 1 < f->nr_segs ? f->seg[i + 1].start_ns : f->major_ns;
		MUST(f->seg[i].start_ns < end_ns);
		MUST(f->seg[i].rank == windows);
		if (f->seg[i].partition == A653_GAP)
			continue;
		MUST(f->seg[i].partition < conf->cfg.nr_partitions);
		MUST(end_ns - f->seg[i].start_ns >= A653_MIN_WINDOW_NS);
		open_ns += end_ns - f->seg[i].start_ns;
		windows++;
	}
	MUST(f->nr_windows == windows);
	for (i = 0; i < schedule; i++)
		nr += l->schedules[i].nr_windows;
	for (i = nr; i < nr + l->schedules[schedule].nr_windows; i++)
		if (l->windows[i].cpu == cpu)
			sum_ns += l->windows[i].duration_ns;
	MUST(open_ns == sum_ns);
	MUST(open_ns * 100 <= f->major_ns * (100 - l->limits.min_slack_pct));

	walk_frame(f, take64(in), take64(in));
	walk_frame(f, take(in), S64_MAX - (s64)f->major_ns);
	walk_frame(f, S64_MAX - take(in), S64_MIN + take(in));
	free(f);
}

/* Whether budgets fit is asked of tables that are sound otherwise */
static void check_budgets(struct load *l, u32 *scratch, struct reports *reports)
{
	struct rtds_supply sup;
	struct a653_frame *f;
	int nr;

	f = malloc(sizeof(*f) + A653_MAX_SEGS * sizeof(f->seg[0]));
	MUST(f);
	reports->nr = 0;
	nr = rtds_conf_check(&l->conf, &l->limits, scratch, f, &sup, report,
			     reports);
	MUST(nr == reports->nr);
	if (nr > 1) {
		reports->stop_after = 1;
		reports->nr = 0;
		MUST(rtds_conf_check(&l->conf, &l->limits, scratch, f, &sup,
				     report, reports) == 1);
	}
	free(f);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct reports reports = {};
	struct load l = {};
	u32 *scratch, s, cpu;
	int nr, head;

	if (take(&in) & 3)
		read_grammar(&in, &l);
	else
		read_raw(&in, &l);
	/* The device asks this first, when the arrays are not there yet */
	reports.load = &l;
	nr = a653_config_check(&l.conf.cfg, &l.limits, report, &reports);
	MUST(nr == reports.nr);
	reports.nr = 0;

	scratch = array(a653_conf_scratch(&l.conf.cfg), sizeof(*scratch));
	head = nr;
	nr = a653_conf_check(&l.conf, &l.limits, scratch, report, &reports);
	MUST(nr == reports.nr && nr >= head);
	if (nr) {
		/* It can be stopped anywhere, and then says no more */
		reports.stop_after = 1 + take(&in) % nr;
		reports.nr = 0;
		nr = a653_conf_check(&l.conf, &l.limits, scratch, report,
				     &reports);
		MUST(nr == reports.nr && nr == reports.stop_after);
	} else {
		for (s = 0; s < l.conf.cfg.nr_schedules; s++)
			for (cpu = 0; cpu < 64 * l.conf.cfg.nr_cpu_words; cpu++)
				if (a653_conf_has_cpu(&l.conf, cpu))
					check_frame(&l, s, cpu, scratch, &in);
		check_budgets(&l, scratch, &reports);
	}
	free(scratch);
	free_load(&l);
	return 0;
}
