// SPDX-License-Identifier: GPL-2.0
/*
 * Frame tables of SCHED_A653: the arithmetic, and the rules a table obeys
 *
 * The time line of a CPU is an endless row of equal major frames. One of them
 * starts at the base; the others start at base + k * major_frame, k being any
 * integer, also a negative one. The frame table cuts each frame into segments:
 * the windows, and the gaps before, between and after them. A gap is a segment
 * like any other, so that the segments fill the frame without a hole: the last
 * one ends where the frame ends, not where the last window does.
 *
 * A segment contains its start and not its end. An instant on a boundary thus
 * belongs to the segment that starts there.
 *
 * Where a CPU is in its table follows from the table, the base and the clock
 * alone, by division; nothing is carried along that could drift. Positions are
 * computed as distances from the instant that is asked for, which are shorter
 * than two frames: this is how times near the ends of the clock's range
 * neither overflow nor need a special case. A time that the clock cannot tell
 * becomes the nearest one that it can.
 *
 * The second half of the file is the rules that a configuration must keep
 * before a CPU may follow it. They come from ARINC 653 Part 1 (partition
 * scheduling: windows at fixed offsets of a major frame that repeats, each
 * partition with a period and a duration), from ARINC 653 Part 2 (multiple
 * module schedules), from CAST-32A (exclusive schedules: no two partitions at
 * once on the cores of a module), and from what keeps a Linux machine alive (a
 * shortest window, a largest table, time left free on each CPU). A
 * configuration is not trusted before it has passed them: any value may stand
 * in any field.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/time.h>
#endif

#include "a653_frame.h"
#include "rtds_server.h"	/* the limits of a budget */

static s64 a653_sub_sat(s64 t_ns, u64 d_ns)
{
	return d_ns > (u64)t_ns - (u64)S64_MIN ? S64_MIN : (s64)((u64)t_ns - d_ns);
}

/* The segment of an offset that is shorter than the frame */
static u32 a653_seg_at(const struct a653_frame *f, u64 off_ns)
{
	u32 low = 0, high = f->nr_segs, mid;

	/* It is low or a later one, and before high */
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (f->seg[mid].start_ns <= off_ns)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* How far @t_ns is into its frame: the modulo that is never negative */
static u64 a653_frame_offset(u64 major_ns, s64 base_ns, s64 t_ns)
{
	u64 rem;

	/* The distance may be as long as 2^64 - 1: it takes an unsigned type */
	if (t_ns >= base_ns) {
		div64_u64_rem((u64)t_ns - (u64)base_ns, major_ns, &rem);
		return rem;
	}
	div64_u64_rem((u64)base_ns - (u64)t_ns, major_ns, &rem);
	return rem ? major_ns - rem : 0;
}

/**
 * a653_frame_locate - find the place of an instant in a frame table
 * @f: the frame table
 * @base_ns: an instant at which a major frame starts, earlier or later
 * @t_ns: the instant, on the same clock
 * @pos: the segment that contains @t_ns. Its end is S64_MAX if it is later;
 *	the starts are S64_MIN if they are earlier.
 *
 * ARINC 653 Part 1, partition scheduling: the windows are at fixed offsets
 * from the start of a major frame that repeats without end.
 *
 * Context: any. O(log nr_segs), at most two divisions.
 */
void a653_frame_locate(const struct a653_frame *f, s64 base_ns, s64 t_ns,
		       struct a653_pos *pos)
{
	u64 off_ns = a653_frame_offset(f->major_ns, base_ns, t_ns);
	u32 seg = a653_seg_at(f, off_ns);

	pos->frame_ns = a653_sub_sat(t_ns, off_ns);
	pos->start_ns = a653_sub_sat(t_ns, off_ns - f->seg[seg].start_ns);
	pos->end_ns = a653_add_sat(t_ns, a653_seg_end(f, seg) - off_ns);
	pos->seg = seg;
}

/**
 * a653_frame_skipped - how often a segment occurs between two others
 * @f: the frame table
 * @from: one occurrence of any segment
 * @to: another one with the same base, not before @from
 * @seg: index of the segment to count
 *
 * For a CPU that comes late: the windows it never saw, by division instead of
 * one by one. An occurrence of @seg at @from or at @to does not count.
 *
 * Context: any. O(1), one division.
 * Return: the number of occurrences after @from and before @to.
 */
u64 a653_frame_skipped(const struct a653_frame *f, const struct a653_pos *from,
		       const struct a653_pos *to, u32 seg)
{
	u64 frames, rem;

	frames = div64_u64_rem((u64)to->frame_ns - (u64)from->frame_ns,
			       f->major_ns, &rem);
	/* One of them starts where the clock's range ends: it is longer */
	if (rem)
		frames++;

	/* It occurs once in each frame from that of @from on ... */
	if (seg < to->seg)
		frames++;
	/* ... but not after @from in the first; not at all if @to is @from */
	if (seg <= from->seg && frames)
		frames--;
	return frames;
}

/**
 * a653_frame_boundary - the first start of a major frame that is not earlier
 * @major_ns: length of the major frame
 * @base_ns: an instant at which a major frame starts; no earlier one is taken
 * @t_ns: the instant, on the same clock
 *
 * ARINC 653 Part 2, multiple module schedules: a schedule takes effect at the
 * start of a major frame. The rule is that of base_time of tc-taprio.
 *
 * Context: any. O(1), one division.
 * Return: the first base_ns + k * major_ns, k >= 0, at or after @t_ns; S64_MAX
 * if that is later than the clock can tell.
 */
s64 a653_frame_boundary(u64 major_ns, s64 base_ns, s64 t_ns)
{
	u64 off_ns;

	if (t_ns <= base_ns)
		return base_ns;
	off_ns = a653_frame_offset(major_ns, base_ns, t_ns);
	return off_ns ? a653_add_sat(t_ns, major_ns - off_ns) : t_ns;
}

/*
 * The rules
 */

#define A653_LABEL_LEN	(A653_NAME_LEN + 2)	/* a name in quotes */
#define A653_TIME_LEN	24			/* 2^64 - 1 and a unit */

#define A653_KNOWN_CONFIG	(A653_CONFIG_BASE | A653_CONFIG_WAIT | A653_CONFIG_DRY_RUN)
#define A653_KNOWN_SCHEDULE	A653_SCHEDULE_EXCLUSIVE
#define A653_KNOWN_WINDOW	A653_WINDOW_STRICT
#define A653_KNOWN_BUDGET	A653_BUDGET_EXTRATIME

/**
 * struct a653_check - a configuration while it is checked
 * @conf: the configuration; of its arrays, only what the head's check let pass
 * @limits: what the machine allows
 * @report: is told of each violation
 * @ctx: handed through to @report
 * @nr: violations so far
 * @stopped: @report wants no more of them
 * @v: the violation at hand
 */
struct a653_check {
	const struct a653_conf *conf;
	const struct a653_limits *limits;
	a653_report_fn report;
	void *ctx;
	int nr;
	bool stopped;
	struct a653_violation v;
};

/* What a violation is about */
struct a653_place {
	u32 partition;
	u32 schedule;
	u32 window;
	u32 other;
	u32 budget;
};

static const struct a653_place a653_module_place = {
	A653_NOBODY, A653_NOBODY, A653_NOBODY, A653_NOBODY, A653_NOBODY
};

static struct a653_place a653_place(u32 partition, u32 schedule)
{
	struct a653_place place = {
		partition, schedule, A653_NOBODY, A653_NOBODY, A653_NOBODY
	};

	return place;
}

static struct a653_place a653_window_place(u32 schedule, u32 window, u32 other)
{
	struct a653_place place = {
		A653_NOBODY, schedule, window, other, A653_NOBODY
	};

	return place;
}

static struct a653_place a653_budget_place(u32 partition, u32 budget)
{
	struct a653_place place = {
		partition, A653_NOBODY, A653_NOBODY, A653_NOBODY, budget
	};

	return place;
}

static __printf(4, 5)
void a653_refuse(struct a653_check *c, int err, struct a653_place place,
		 const char *fmt, ...)
{
	va_list args;

	if (c->stopped)
		return;
	/* No byte of the stack may leave with it */
	memset(&c->v, 0, sizeof(c->v));
	c->v.err = err;
	c->v.partition = place.partition;
	c->v.schedule = place.schedule;
	c->v.window = place.window;
	c->v.other = place.other;
	c->v.budget = place.budget;
	va_start(args, fmt);
	vsnprintf(c->v.text, sizeof(c->v.text), fmt, args);
	va_end(args);
	if (c->nr < INT_MAX)
		c->nr++;
	c->stopped = !c->report(c->ctx, &c->v);
}

/* A time in the largest unit in which it is a whole number */
static const char *a653_time(char buf[static A653_TIME_LEN], u64 ns)
{
	static const struct {
		u32 ns;
		const char *name;
	} unit[] = {
		{ 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" },
		{ 1, "ns" },
	};
	u64 count, rem;
	u32 i = 0;

	/* "0ms" reads better than "0s" */
	if (!ns)
		i++;
	for (;; i++) {
		count = div64_u64_rem(ns, unit[i].ns, &rem);
		if (!rem)
			break;
	}
	snprintf(buf, A653_TIME_LEN, "%llu%s", count, unit[i].name);
	return buf;
}

/* ASCII only: isalnum() of the kernel takes Latin-1 letters as well */
static bool a653_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

/* What is wrong with a name; NULL if nothing is */
static const char *a653_name_wrong(const char *name)
{
	u32 len;

	for (len = 0; len < A653_NAME_LEN && name[len]; len++)
		if (!a653_name_char(name[len]))
			return "has a character other than A-Z a-z 0-9 _ . -";
	if (!len)
		return "is empty";
	return len < A653_NAME_LEN ? NULL : "is too long";
}

/**
 * a653_name_ok - may a module, a partition or a schedule have this name?
 * @name: a string; no more than its first A653_NAME_LEN bytes are read, and
 *	none after its NUL
 *
 * Context: any.
 * Return: true for 1 to A653_NAME_LEN - 1 characters of [A-Za-z0-9_.-].
 */
bool a653_name_ok(const char *name)
{
	return !a653_name_wrong(name);
}

static void a653_check_name(struct a653_check *c, struct a653_place place,
			    const char *name, const char *whose)
{
	const char *wrong = a653_name_wrong(name);
	u32 i;

	if (wrong) {
		a653_refuse(c, EINVAL, place, "name of %s %s", whose, wrong);
		return;
	}
	/* As everything else that has no meaning yet */
	for (i = strlen(name); i < A653_NAME_LEN; i++) {
		if (name[i]) {
			a653_refuse(c, EINVAL, place,
				    "name of %s is followed by bytes that are not zero",
				    whose);
			return;
		}
	}
}

/* A name that breaks the rules is not worth printing: its number is */
static const char *a653_label(char buf[static A653_LABEL_LEN], const char *name,
			      u32 index)
{
	if (a653_name_ok(name))
		snprintf(buf, A653_LABEL_LEN, "\"%s\"", name);
	else
		snprintf(buf, A653_LABEL_LEN, "#%u", index);
	return buf;
}

static const char *a653_part_label(char buf[static A653_LABEL_LEN],
				   const struct a653_check *c, u32 partition)
{
	return a653_label(buf, c->conf->partitions[partition].name, partition);
}

static const char *a653_sched_label(char buf[static A653_LABEL_LEN],
				    const struct a653_check *c, u32 schedule)
{
	return a653_label(buf, c->conf->schedules[schedule].name, schedule);
}

/*
 * Rules on the head of a configuration. Returns whether the arrays can be
 * looked at: their sizes are sane.
 */
static bool a653_check_head(struct a653_check *c)
{
	const struct a653_place place = a653_module_place;
	const struct a653_config *cfg = &c->conf->cfg;
	u64 max_windows, max_budgets;
	int nr;

	if (cfg->flags & ~A653_KNOWN_CONFIG)
		a653_refuse(c, EINVAL, place, "unknown flags 0x%llx",
			    (u64)(cfg->flags & ~A653_KNOWN_CONFIG));
	a653_check_name(c, place, cfg->module, "the module");
	if (cfg->clock != CLOCK_MONOTONIC && cfg->clock != CLOCK_TAI)
		a653_refuse(c, EINVAL, place,
			    "clock %u is neither CLOCK_MONOTONIC (%u) nor CLOCK_TAI (%u)",
			    cfg->clock, CLOCK_MONOTONIC, CLOCK_TAI);
	if (!(cfg->flags & A653_CONFIG_BASE) && cfg->base_ns)
		a653_refuse(c, EINVAL, place,
			    "base time %lldns is set, but A653_CONFIG_BASE is not",
			    cfg->base_ns);
	else if (cfg->base_ns < 0)
		a653_refuse(c, EINVAL, place, "base time %lldns is negative",
			    cfg->base_ns);

	nr = c->nr;
	if (!cfg->nr_partitions)
		a653_refuse(c, EINVAL, place, "the module has no partition");
	if (cfg->nr_partitions > A653_MAX_PARTITIONS)
		a653_refuse(c, E2BIG, place, "%u partitions are more than %u",
			    cfg->nr_partitions, A653_MAX_PARTITIONS);
	if (!cfg->nr_schedules)
		a653_refuse(c, EINVAL, place, "the module has no schedule");
	if (cfg->nr_schedules > A653_MAX_SCHEDULES)
		a653_refuse(c, E2BIG, place, "%u schedules are more than %u",
			    cfg->nr_schedules, A653_MAX_SCHEDULES);
	if (cfg->nr_cpu_words > A653_MAX_CPU_WORDS)
		a653_refuse(c, E2BIG, place,
			    "%u words of CPUs are more than %u",
			    cfg->nr_cpu_words, A653_MAX_CPU_WORDS);
	/* Counts refused above do not matter: this one cannot overflow */
	max_windows = min_t(u64, cfg->nr_schedules, A653_MAX_SCHEDULES) *
		      c->limits->nr_cpus * A653_MAX_WINDOWS;
	if (cfg->nr_windows > max_windows)
		a653_refuse(c, E2BIG, place,
			    "%u windows are more than %u on each of %u CPUs in %u schedules",
			    cfg->nr_windows, A653_MAX_WINDOWS,
			    c->limits->nr_cpus, cfg->nr_schedules);
	max_budgets = min_t(u64, cfg->nr_partitions, A653_MAX_PARTITIONS) *
		      c->limits->nr_cpus;
	if (cfg->nr_partitions && cfg->nr_budgets > max_budgets)
		a653_refuse(c, E2BIG, place,
			    "%u budgets are more than one for each of %u partitions on each of %u CPUs",
			    cfg->nr_budgets, cfg->nr_partitions,
			    c->limits->nr_cpus);
	if (c->stopped || c->nr != nr)
		return false;

	if (cfg->initial >= cfg->nr_schedules)
		a653_refuse(c, EINVAL, place,
			    "initial schedule #%u does not exist: there are %u",
			    cfg->initial, cfg->nr_schedules);
	return true;
}

static void a653_check_cpus(struct a653_check *c)
{
	const struct a653_conf *conf = c->conf;
	bool any = false;
	u32 cpu;

	for (cpu = 0; cpu < conf->cfg.nr_cpu_words * 64; cpu++) {
		if (!a653_conf_has_cpu(conf, cpu))
			continue;
		any = true;
		if (cpu < c->limits->nr_cpus)
			continue;
		/* The first one will do: there may be thousands */
		a653_refuse(c, EINVAL, a653_module_place,
			    "CPU %u of the module does not exist: numbers are below %u",
			    cpu, c->limits->nr_cpus);
		break;
	}
	if (!any)
		a653_refuse(c, EINVAL, a653_module_place,
			    "the module has no CPU");
}

/* Is what the partition declares about its period sound in itself? */
static bool a653_has_period(const struct a653_partition *p)
{
	return p->period_ns >= A653_MIN_WINDOW_NS &&
	       p->period_ns <= A653_MAX_MAJOR_FRAME_NS &&
	       p->duration_ns && p->duration_ns <= p->period_ns;
}

static void a653_check_partition(struct a653_check *c, u32 partition)
{
	const struct a653_partition *p = &c->conf->partitions[partition];
	struct a653_place place = a653_place(partition, A653_NOBODY);
	char label[A653_LABEL_LEN], t1[A653_TIME_LEN], t2[A653_TIME_LEN];
	char whose[32];
	u32 other;

	snprintf(whose, sizeof(whose), "partition #%u", partition);
	a653_check_name(c, place, p->name, whose);
	a653_part_label(label, c, partition);
	/* At most 256 of them: n^2 is nothing */
	for (other = 0; other < partition && a653_name_ok(p->name); other++) {
		if (strncmp(c->conf->partitions[other].name, p->name, A653_NAME_LEN))
			continue;
		a653_refuse(c, EEXIST, place, "there are two partitions %s",
			    label);
		break;
	}
	if (p->flags || p->reserved)
		a653_refuse(c, EINVAL, place,
			    "partition %s has unknown flags 0x%x", label,
			    p->flags ?: p->reserved);

	if (!p->period_ns && !p->duration_ns)
		return;
	if (!p->period_ns)
		a653_refuse(c, EINVAL, place,
			    "partition %s has a duration (%s), but no period",
			    label, a653_time(t1, p->duration_ns));
	else if (!p->duration_ns)
		a653_refuse(c, EINVAL, place,
			    "partition %s has a period (%s), but no duration",
			    label, a653_time(t1, p->period_ns));
	else if (p->period_ns < A653_MIN_WINDOW_NS)
		a653_refuse(c, EINVAL, place,
			    "period of partition %s (%s) is shorter than %s",
			    label, a653_time(t1, p->period_ns),
			    a653_time(t2, A653_MIN_WINDOW_NS));
	else if (p->period_ns > A653_MAX_MAJOR_FRAME_NS)
		a653_refuse(c, EINVAL, place,
			    "period of partition %s (%s) is longer than %s",
			    label, a653_time(t1, p->period_ns),
			    a653_time(t2, A653_MAX_MAJOR_FRAME_NS));
	else if (p->duration_ns > p->period_ns)
		a653_refuse(c, EINVAL, place,
			    "duration of partition %s (%s) is longer than its period (%s)",
			    label, a653_time(t1, p->duration_ns),
			    a653_time(t2, p->period_ns));
}

static bool a653_has_major(const struct a653_schedule *s)
{
	return s->major_frame_ns && s->major_frame_ns <= A653_MAX_MAJOR_FRAME_NS;
}

static void a653_check_schedule(struct a653_check *c, u32 schedule)
{
	const struct a653_schedule *s = &c->conf->schedules[schedule];
	struct a653_place place = a653_place(A653_NOBODY, schedule);
	char label[A653_LABEL_LEN], t1[A653_TIME_LEN], t2[A653_TIME_LEN];
	char whose[32];
	u32 other;

	snprintf(whose, sizeof(whose), "schedule #%u", schedule);
	a653_check_name(c, place, s->name, whose);
	a653_sched_label(label, c, schedule);
	for (other = 0; other < schedule && a653_name_ok(s->name); other++) {
		if (strncmp(c->conf->schedules[other].name, s->name, A653_NAME_LEN))
			continue;
		a653_refuse(c, EEXIST, place, "there are two schedules %s",
			    label);
		break;
	}
	if (s->flags & ~A653_KNOWN_SCHEDULE)
		a653_refuse(c, EINVAL, place,
			    "schedule %s has unknown flags 0x%llx", label,
			    (u64)(s->flags & ~A653_KNOWN_SCHEDULE));

	if (!s->major_frame_ns)
		a653_refuse(c, EINVAL, place,
			    "major frame of schedule %s has no length", label);
	else if (!a653_has_major(s))
		a653_refuse(c, EINVAL, place,
			    "major frame of schedule %s (%s) is longer than %s",
			    label, a653_time(t1, s->major_frame_ns),
			    a653_time(t2, A653_MAX_MAJOR_FRAME_NS));
}

/* Do the schedules share out the windows array? */
static bool a653_check_shares(struct a653_check *c)
{
	const struct a653_conf *conf = c->conf;
	u64 sum = 0;
	u32 i;

	/* At most 16 numbers of 32 bits */
	for (i = 0; i < conf->cfg.nr_schedules; i++)
		sum += conf->schedules[i].nr_windows;
	if (sum == conf->cfg.nr_windows)
		return true;
	a653_refuse(c, EINVAL, a653_module_place,
		    "the schedules have %llu windows in sum, but %u are given",
		    sum, conf->cfg.nr_windows);
	return false;
}

/* Each window by itself. Returns whether it can be compared with others. */
static bool a653_check_window(struct a653_check *c, u32 schedule, u32 window)
{
	struct a653_place place = a653_window_place(schedule, window, A653_NOBODY);
	const struct a653_schedule *s = &c->conf->schedules[schedule];
	const struct a653_window *w = &c->conf->windows[window];
	char label[A653_LABEL_LEN], in[A653_LABEL_LEN];
	char t1[A653_TIME_LEN], t2[A653_TIME_LEN], t3[A653_TIME_LEN];
	int nr = c->nr;
	u64 end_ns;

	a653_sched_label(in, c, schedule);
	if (w->partition >= c->conf->cfg.nr_partitions) {
		a653_refuse(c, EINVAL, place,
			    "window #%u of schedule %s is of partition #%u: there are %u",
			    window, in, w->partition, c->conf->cfg.nr_partitions);
		return false;
	}
	a653_part_label(label, c, w->partition);

	if (!a653_conf_has_cpu(c->conf, w->cpu))
		a653_refuse(c, EINVAL, place,
			    "window of %s at %s in schedule %s is on CPU %u, which is not of the module",
			    label, a653_time(t1, w->offset_ns), in, w->cpu);
	if (w->flags & ~A653_KNOWN_WINDOW || w->reserved)
		a653_refuse(c, EINVAL, place,
			    "window of %s at %s in schedule %s has unknown flags 0x%llx",
			    label, a653_time(t1, w->offset_ns), in,
			    (u64)(w->flags & ~A653_KNOWN_WINDOW) ?: w->reserved);
	/* A timer interrupt at each end of a window: short ones are a storm */
	if (w->duration_ns < A653_MIN_WINDOW_NS)
		a653_refuse(c, EINVAL, place,
			    "window of %s on CPU %u at %s (%s) in schedule %s is shorter than %s",
			    label, w->cpu, a653_time(t1, w->offset_ns),
			    a653_time(t2, w->duration_ns), in,
			    a653_time(t3, A653_MIN_WINDOW_NS));
	if (check_add_overflow((u64)w->offset_ns, (u64)w->duration_ns, &end_ns))
		a653_refuse(c, EOVERFLOW, place,
			    "window of %s on CPU %u at %s (%s) in schedule %s ends after the end of time",
			    label, w->cpu, a653_time(t1, w->offset_ns),
			    a653_time(t2, w->duration_ns), in);
	else if (a653_has_major(s) && end_ns > s->major_frame_ns)
		a653_refuse(c, EINVAL, place,
			    "window of %s on CPU %u at %s (%s) ends after the major frame of schedule %s (%s)",
			    label, w->cpu, a653_time(t1, w->offset_ns),
			    a653_time(t2, w->duration_ns), in,
			    a653_time(t3, s->major_frame_ns));
	return c->nr == nr;
}

/*
 * Rules on windows together. They are sorted for each rule as it needs them,
 * so that no rule looks at each pair. The arrays are of indices, in @scratch.
 */

static u64 a653_window_end(const struct a653_window *w)
{
	return w->offset_ns + w->duration_ns;
}

static int a653_cmp(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

/* The index breaks the tie: the same reports, whatever does the sorting */
static int a653_cmp_offset(const void *a, const void *b, const void *windows)
{
	const struct a653_window *w = windows;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return a653_cmp(w[x].offset_ns, w[y].offset_ns) ?: a653_cmp(x, y);
}

static int a653_cmp_cpu(const void *a, const void *b, const void *windows)
{
	const struct a653_window *w = windows;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return a653_cmp(w[x].cpu, w[y].cpu) ?: a653_cmp_offset(a, b, windows);
}

static int a653_cmp_partition(const void *a, const void *b, const void *windows)
{
	const struct a653_window *w = windows;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return a653_cmp(w[x].partition, w[y].partition) ?:
	       a653_cmp_offset(a, b, windows);
}

/* The windows of one CPU, by offset: no overlap, not too many, some slack */
static void a653_check_cpu(struct a653_check *c, u32 schedule,
			   const u32 *index, u32 nr)
{
	u64 major_ns = c->conf->schedules[schedule].major_frame_ns;
	const struct a653_window *windows = c->conf->windows;
	u32 slack_pct = min_t(u32, c->limits->min_slack_pct, 100);
	char label[A653_LABEL_LEN], label2[A653_LABEL_LEN], in[A653_LABEL_LEN];
	char t1[A653_TIME_LEN], t2[A653_TIME_LEN], t3[A653_TIME_LEN];
	const struct a653_window *w, *last = NULL;
	int nr_before = c->nr;
	u64 used_ns = 0;
	u32 i;

	a653_sched_label(in, c, schedule);
	if (nr > A653_MAX_WINDOWS)
		a653_refuse(c, E2BIG,
			    a653_window_place(schedule, index[A653_MAX_WINDOWS],
					      A653_NOBODY),
			    "schedule %s has %u windows on CPU %u: %u are the most",
			    in, nr, windows[index[0]].cpu, A653_MAX_WINDOWS);

	for (i = 0; i < nr && !c->stopped; i++) {
		w = &windows[index[i]];
		/* @last: of those that started before, the last to end */
		if (last && a653_window_end(last) > w->offset_ns)
			a653_refuse(c, EINVAL,
				    a653_window_place(schedule, index[i],
						      last - windows),
				    "window of %s on CPU %u at %s (%s) overlaps window of %s at %s in schedule %s",
				    a653_part_label(label, c, w->partition),
				    w->cpu, a653_time(t1, w->offset_ns),
				    a653_time(t2, w->duration_ns),
				    a653_part_label(label2, c, last->partition),
				    a653_time(t3, last->offset_ns), in);
		if (!last || a653_window_end(w) > a653_window_end(last))
			last = w;
		used_ns += w->duration_ns;
	}

	/* A sum says nothing, and may be any number, if there was overlap */
	if (c->stopped || c->nr != nr_before)
		return;
	/* No longer than an hour: times 100 is no problem */
	if (used_ns * 100 > major_ns * (100 - slack_pct))
		a653_refuse(c, EBUSY, a653_place(A653_NOBODY, schedule),
			    "windows fill %s of the major frame (%s) on CPU %u in schedule %s: %u%% must stay free",
			    a653_time(t1, used_ns), a653_time(t2, major_ns),
			    windows[index[0]].cpu, in, slack_pct);
}

/*
 * CAST-32A: at any instant at most one partition has open windows. By offset;
 * overlap on the same CPU is not told twice.
 */
static void a653_check_exclusive(struct a653_check *c, u32 schedule,
				 const u32 *index, u32 nr)
{
	const struct a653_window *windows = c->conf->windows, *w, *rival;
	char label[A653_LABEL_LEN], label2[A653_LABEL_LEN], in[A653_LABEL_LEN];
	char t1[A653_TIME_LEN], t2[A653_TIME_LEN], t3[A653_TIME_LEN];
	/*
	 * Of those that started before: the last to end, and the last to end of
	 * all other partitions than that one's
	 */
	const struct a653_window *last = NULL, *second = NULL;
	u32 i;

	a653_sched_label(in, c, schedule);
	for (i = 0; i < nr && !c->stopped; i++) {
		w = &windows[index[i]];
		rival = last && last->partition != w->partition ? last : second;
		if (rival && a653_window_end(rival) > w->offset_ns &&
		    rival->cpu != w->cpu)
			a653_refuse(c, EINVAL,
				    a653_window_place(schedule, index[i],
						      rival - windows),
				    "window of %s on CPU %u at %s (%s) meets window of %s on CPU %u at %s in exclusive schedule %s",
				    a653_part_label(label, c, w->partition),
				    w->cpu, a653_time(t1, w->offset_ns),
				    a653_time(t2, w->duration_ns),
				    a653_part_label(label2, c, rival->partition),
				    rival->cpu, a653_time(t3, rival->offset_ns),
				    in);

		if (last && last->partition != w->partition) {
			if (a653_window_end(w) > a653_window_end(last)) {
				second = last;
				last = w;
			} else if (!second || a653_window_end(w) >
					      a653_window_end(second)) {
				second = w;
			}
		} else if (!last || a653_window_end(w) > a653_window_end(last)) {
			last = w;
		}
	}
}

/*
 * The first period of the frame in which the partition's windows, by offset,
 * are open for less than its duration, and for how long they are. Returns
 * false if there is none.
 *
 * Periods may be many more than windows. So this goes along the windows: what
 * lies between two of them or within one is settled by division. O(nr).
 */
static bool a653_find_short_period(const struct a653_conf *conf,
				   const struct a653_partition *p, u64 major_ns,
				   const u32 *index, u32 nr,
				   u64 *period, u64 *open_ns)
{
	u64 nr_periods = div64_u64(major_ns, p->period_ns);
	u64 covered_ns = 0, start_ns, end_ns, at, next_ns;
	u32 i;

	/* Periods before *period are fine; *open_ns is of that one so far */
	*period = 0;
	*open_ns = 0;
	for (i = 0; i < nr; i++) {
		/* Windows on several CPUs at once count once */
		start_ns = max_t(u64, conf->windows[index[i]].offset_ns,
				 covered_ns);
		end_ns = a653_window_end(&conf->windows[index[i]]);
		if (end_ns <= start_ns)
			continue;
		covered_ns = end_ns;

		at = div64_u64(start_ns, p->period_ns);
		if (at != *period) {
			if (*open_ns < p->duration_ns)
				return true;
			++*period;
			*open_ns = 0;
			if (at != *period)
				return true;
		}
		next_ns = (at + 1) * p->period_ns;
		if (end_ns <= next_ns) {
			*open_ns += end_ns - start_ns;
			continue;
		}
		*open_ns += next_ns - start_ns;
		if (*open_ns < p->duration_ns)
			return true;
		/* It fills all periods from there to the one it ends in */
		*period = div64_u64_rem(end_ns, p->period_ns, open_ns);
	}
	if (*period < nr_periods && *open_ns >= p->duration_ns) {
		++*period;
		*open_ns = 0;
	}
	return *period < nr_periods;
}

/* The windows of one partition, by offset: does it get what it declares? */
static void a653_check_supply(struct a653_check *c, u32 schedule,
			      const u32 *index, u32 nr)
{
	u64 major_ns = c->conf->schedules[schedule].major_frame_ns;
	u32 partition = c->conf->windows[index[0]].partition;
	const struct a653_partition *p = &c->conf->partitions[partition];
	struct a653_place place = a653_place(partition, schedule);
	char t1[A653_TIME_LEN], t2[A653_TIME_LEN];
	char t3[A653_TIME_LEN], t4[A653_TIME_LEN];
	char label[A653_LABEL_LEN], in[A653_LABEL_LEN];
	u64 rem, period, open_ns;

	if (!a653_has_period(p))
		return;
	a653_sched_label(in, c, schedule);
	a653_part_label(label, c, partition);

	div64_u64_rem(major_ns, p->period_ns, &rem);
	if (rem) {
		a653_refuse(c, EINVAL, place,
			    "major frame of schedule %s (%s) is no multiple of the period of partition %s (%s)",
			    in, a653_time(t1, major_ns), label,
			    a653_time(t2, p->period_ns));
		return;
	}
	if (!a653_find_short_period(c->conf, p, major_ns, index, nr, &period,
				    &open_ns))
		return;
	a653_refuse(c, EINVAL, place,
		    "partition %s has windows of %s in the period from %s to %s of schedule %s: its duration is %s",
		    label, a653_time(t1, open_ns),
		    a653_time(t2, period * p->period_ns),
		    a653_time(t3, (period + 1) * p->period_ns), in,
		    a653_time(t4, p->duration_ns));
}

static void a653_check_table(struct a653_check *c, u32 schedule, u32 first,
			     u32 *scratch)
{
	const struct a653_schedule *s = &c->conf->schedules[schedule];
	const struct a653_window *w = c->conf->windows;
	u32 nr = 0, i, end;

	/* Those that are wrong in themselves say nothing about the others */
	for (i = 0; i < s->nr_windows && !c->stopped; i++)
		if (a653_check_window(c, schedule, first + i))
			scratch[nr++] = first + i;
	if (!nr || !a653_has_major(s))
		return;

	sort_r(scratch, nr, sizeof(*scratch), a653_cmp_cpu, NULL, w);
	for (i = 0; i < nr && !c->stopped; i = end) {
		for (end = i + 1; end < nr; end++)
			if (w[scratch[end]].cpu != w[scratch[i]].cpu)
				break;
		a653_check_cpu(c, schedule, scratch + i, end - i);
	}

	if (s->flags & A653_SCHEDULE_EXCLUSIVE && !c->stopped) {
		sort_r(scratch, nr, sizeof(*scratch), a653_cmp_offset, NULL, w);
		a653_check_exclusive(c, schedule, scratch, nr);
	}

	/* The missing time may be that of a window that was refused */
	if (nr != s->nr_windows || c->stopped)
		return;
	sort_r(scratch, nr, sizeof(*scratch), a653_cmp_partition, NULL, w);
	for (i = 0; i < nr && !c->stopped; i = end) {
		for (end = i + 1; end < nr; end++)
			if (w[scratch[end]].partition != w[scratch[i]].partition)
				break;
		a653_check_supply(c, schedule, scratch + i, end - i);
	}
}

/*
 * Budgets
 */

/* Each budget by itself. Returns whether it can be compared with others. */
static bool a653_check_budget(struct a653_check *c, u32 budget)
{
	const struct a653_budget *b = &c->conf->budgets[budget];
	char label[A653_LABEL_LEN], t1[A653_TIME_LEN], t2[A653_TIME_LEN];
	struct a653_place place;
	int nr = c->nr;

	if (b->partition >= c->conf->cfg.nr_partitions) {
		a653_refuse(c, EINVAL, a653_budget_place(A653_NOBODY, budget),
			    "budget #%u is of partition #%u: there are %u",
			    budget, b->partition, c->conf->cfg.nr_partitions);
		return false;
	}
	place = a653_budget_place(b->partition, budget);
	a653_part_label(label, c, b->partition);

	if (!a653_conf_has_cpu(c->conf, b->cpu))
		a653_refuse(c, EINVAL, place,
			    "budget of %s is on CPU %u, which is not of the module",
			    label, b->cpu);
	if (b->flags & ~A653_KNOWN_BUDGET || b->reserved)
		a653_refuse(c, EINVAL, place,
			    "budget of %s on CPU %u has unknown flags 0x%llx",
			    label, b->cpu,
			    (u64)(b->flags & ~A653_KNOWN_BUDGET) ?: b->reserved);
	if (b->period_ns < RTDS_MIN_PERIOD_NS)
		a653_refuse(c, EINVAL, place,
			    "period of the budget of %s on CPU %u (%s) is shorter than %s",
			    label, b->cpu, a653_time(t1, b->period_ns),
			    a653_time(t2, RTDS_MIN_PERIOD_NS));
	else if (b->period_ns > RTDS_MAX_PERIOD_NS)
		a653_refuse(c, EINVAL, place,
			    "period of the budget of %s on CPU %u (%s) is longer than %s",
			    label, b->cpu, a653_time(t1, b->period_ns),
			    a653_time(t2, RTDS_MAX_PERIOD_NS));
	else if (b->budget_ns > b->period_ns)
		a653_refuse(c, EINVAL, place,
			    "budget of %s on CPU %u (%s) is longer than its period (%s)",
			    label, b->cpu, a653_time(t1, b->budget_ns),
			    a653_time(t2, b->period_ns));
	if (b->budget_ns < RTDS_MIN_BUDGET_NS)
		a653_refuse(c, EINVAL, place,
			    "budget of %s on CPU %u (%s) is shorter than %s",
			    label, b->cpu, a653_time(t1, b->budget_ns),
			    a653_time(t2, RTDS_MIN_BUDGET_NS));
	return c->nr == nr;
}

static int a653_cmp_budget(const void *a, const void *b, const void *budgets)
{
	const struct a653_budget *l = budgets;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return a653_cmp(l[x].partition, l[y].partition) ?:
	       a653_cmp(l[x].cpu, l[y].cpu) ?: a653_cmp(x, y);
}

static void a653_check_budgets(struct a653_check *c, u32 *scratch)
{
	const struct a653_budget *budgets = c->conf->budgets;
	const struct a653_budget *b, *first = NULL, *last = NULL;
	char label[A653_LABEL_LEN];
	struct a653_place place;
	u32 nr = 0, i;

	for (i = 0; i < c->conf->cfg.nr_budgets && !c->stopped; i++)
		if (a653_check_budget(c, i))
			scratch[nr++] = i;
	if (!nr)
		return;

	/* Those of a partition next to each other, by CPU */
	sort_r(scratch, nr, sizeof(*scratch), a653_cmp_budget, NULL, budgets);
	for (i = 0; i < nr && !c->stopped; i++, last = b) {
		b = &budgets[scratch[i]];
		if (!first || first->partition != b->partition) {
			first = b;
			continue;
		}
		place = a653_budget_place(b->partition, scratch[i]);
		a653_part_label(label, c, b->partition);
		if (last->cpu == b->cpu)
			a653_refuse(c, EEXIST, place,
				    "partition %s has two budgets on CPU %u",
				    label, b->cpu);
		else if (b->budget_ns != first->budget_ns ||
			 b->period_ns != first->period_ns ||
			 b->flags != first->flags)
			a653_refuse(c, EINVAL, place,
				    "budgets of %s on CPU %u and on CPU %u are not the same",
				    label, first->cpu, b->cpu);
	}
}

/**
 * a653_config_check - check the head of a configuration
 * @cfg: the head, as it came from user space
 * @limits: what the machine allows
 * @report: is called with each violation; returns false to end the check
 * @ctx: first argument of @report
 *
 * These are the rules that need none of the arrays. Once they are kept, the
 * arrays have sizes for which memory can be allocated. Part of
 * a653_conf_check().
 *
 * Context: any in which @report can be called.
 * Return: the number of violations; 0: none.
 */
int a653_config_check(const struct a653_config *cfg,
		      const struct a653_limits *limits, a653_report_fn report,
		      void *ctx)
{
	const struct a653_conf conf = { .cfg = *cfg };
	struct a653_check c = {
		.conf = &conf,
		.limits = limits,
		.report = report,
		.ctx = ctx,
	};

	a653_check_head(&c);
	return c.nr;
}

/**
 * a653_conf_check - check a configuration against all rules
 * @conf: the configuration. The arrays have as many elements as its head says;
 *	nothing else is taken for granted.
 * @limits: what the machine allows
 * @scratch: a653_conf_scratch() elements to work in; may be NULL without any
 * @report: is called with each violation; returns false to end the check
 * @ctx: first argument of @report
 *
 * The rules, and the errno of a violation, EINVAL if there is none beside it:
 *
 * - Head: known flags and clock, a base time that is not negative, and none
 *   unless A653_CONFIG_BASE is set; at least one partition, schedule and CPU,
 *   none of them too many (E2BIG); the initial schedule and the CPUs exist.
 * - Names are of [A-Za-z0-9_.-], zero to their end, and unique (EEXIST).
 * - The schedules share out the windows array. A major frame is not empty and
 *   at most A653_MAX_MAJOR_FRAME_NS long.
 * - A window is of one of the partitions, on one of the module's CPUs, at least
 *   A653_MIN_WINDOW_NS long, and ends (EOVERFLOW if it is beyond all numbers)
 *   within its major frame: ARINC 653 Part 1.
 * - On a CPU, windows do not overlap, of whatever partitions they are; windows
 *   that touch are fine. There are at most A653_MAX_WINDOWS of them (E2BIG).
 *   They leave @limits->min_slack_pct of the frame free (EBUSY): the class is
 *   above all others, and the host must live.
 * - In an exclusive schedule, windows of different partitions do not overlap on
 *   different CPUs either: CAST-32A.
 * - A partition has a period and a duration that is not longer, or neither. In
 *   each schedule in which it has a window, the major frame is a multiple of
 *   the period, and in each period at least one of its windows, on whichever
 *   CPU, is open for the duration in sum: ARINC 653 Part 1.
 * - A budget is of one of the partitions, on one of the module's CPUs, and has a
 *   length and a period as rtds_params_check() wants them. On a CPU, a partition
 *   has one at most (EEXIST); those it has on several CPUs are the same. Whether
 *   budgets fit between the windows is asked by rtds_conf_check().
 *
 * Violations that follow from another one are left out where that can be told.
 *
 * Context: process context; long tables may take long. With n windows and
 * budgets and m violations O(n log n + m), and 256^2 / 2 comparisons of names.
 * Return: the number of violations, INT_MAX if it is larger; 0: none.
 */
int a653_conf_check(const struct a653_conf *conf,
		    const struct a653_limits *limits, u32 *scratch,
		    a653_report_fn report, void *ctx)
{
	struct a653_check c = {
		.conf = conf,
		.limits = limits,
		.report = report,
		.ctx = ctx,
	};
	u32 first = 0, i;

	if (!a653_check_head(&c))
		return c.nr;
	a653_check_cpus(&c);
	for (i = 0; i < conf->cfg.nr_partitions; i++)
		a653_check_partition(&c, i);
	for (i = 0; i < conf->cfg.nr_schedules; i++)
		a653_check_schedule(&c, i);
	if (!a653_check_shares(&c))
		return c.nr;
	for (i = 0; i < conf->cfg.nr_schedules && !c.stopped; i++) {
		a653_check_table(&c, i, first, scratch);
		first += conf->schedules[i].nr_windows;
		cond_resched();
	}
	if (!c.stopped)
		a653_check_budgets(&c, scratch);
	return c.nr;
}

/*
 * From a configuration to frame tables
 */

/* Index of the first window of a schedule */
static u32 a653_first_window(const struct a653_conf *conf, u32 schedule)
{
	u32 first = 0, i;

	for (i = 0; i < schedule; i++)
		first += conf->schedules[i].nr_windows;
	return first;
}

/**
 * a653_frame_max_segs - how much room a frame table needs
 * @conf: a configuration that passed a653_conf_check()
 * @schedule: index of the schedule
 * @cpu: number of the CPU
 *
 * Context: any.
 * Return: a number of segments that is enough for a653_frame_build(): each
 * window, a gap before each, and the tail; at most A653_MAX_SEGS.
 */
u32 a653_frame_max_segs(const struct a653_conf *conf, u32 schedule, u32 cpu)
{
	const struct a653_window *w;
	u32 nr = 1, i;

	w = conf->windows + a653_first_window(conf, schedule);
	for (i = 0; i < conf->schedules[schedule].nr_windows; i++)
		if (w[i].cpu == cpu)
			nr += 2;
	return nr;
}

static void a653_frame_add(struct a653_frame *f, u64 start_ns, u16 partition,
			   u16 flags)
{
	struct a653_seg *seg = &f->seg[f->nr_segs++];

	seg->start_ns = start_ns;
	seg->partition = partition;
	seg->flags = flags;
	seg->rank = f->nr_windows;
}

/**
 * a653_frame_build - make the frame table of one CPU in one schedule
 * @conf: a configuration that passed a653_conf_check()
 * @schedule: index of the schedule
 * @cpu: number of the CPU; without windows there, the table is one gap
 * @scratch: conf->cfg.nr_windows elements to work in
 * @f: room for a table of a653_frame_max_segs() segments; filled in
 *
 * Windows stay separate segments even if they touch and are of the same
 * partition: each of them opens and closes.
 *
 * Context: any. O(n + k log k) for n windows in the schedule, k on the CPU.
 */
void a653_frame_build(const struct a653_conf *conf, u32 schedule, u32 cpu,
		      u32 *scratch, struct a653_frame *f)
{
	u32 first = a653_first_window(conf, schedule), nr = 0, i;
	const struct a653_window *w;
	u64 end_ns = 0;

	for (i = 0; i < conf->schedules[schedule].nr_windows; i++)
		if (conf->windows[first + i].cpu == cpu)
			scratch[nr++] = first + i;
	if (nr)
		sort_r(scratch, nr, sizeof(*scratch), a653_cmp_offset, NULL,
		       conf->windows);

	f->major_ns = conf->schedules[schedule].major_frame_ns;
	f->nr_segs = 0;
	f->nr_windows = 0;
	for (i = 0; i < nr; i++) {
		w = &conf->windows[scratch[i]];
		if (w->offset_ns > end_ns)
			a653_frame_add(f, end_ns, A653_GAP, 0);
		a653_frame_add(f, w->offset_ns, w->partition, w->flags);
		f->nr_windows++;
		end_ns = a653_window_end(w);
	}
	/* Without windows the frame is one gap; it is never without a segment */
	if (end_ns < f->major_ns)
		a653_frame_add(f, end_ns, A653_GAP, 0);
}
