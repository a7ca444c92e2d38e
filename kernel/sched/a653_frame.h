/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frame tables of SCHED_A653: the arithmetic, and the rules a table obeys
 *
 * Pure: no locks, no clocks, no struct rq, no allocation. The same source is
 * compiled into the kernel, into a653ctl (which checks a configuration before
 * anybody loads it) and into the host tests and fuzzers.
 */
#ifndef _KERNEL_SCHED_A653_FRAME_H
#define _KERNEL_SCHED_A653_FRAME_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/limits.h>
#include <uapi/linux/sched_a653.h>
#else
#include "a653_host.h"		/* u64, s64, min(), div64_u64() ... for user space */
#include <linux/sched_a653.h>
#endif

/* Partition of a segment that belongs to nobody */
#define A653_GAP	U16_MAX
/* No frame table has more segments: each window, a gap before each, the tail */
#define A653_MAX_SEGS	(2 * A653_MAX_WINDOWS + 1)

/**
 * struct a653_seg - a piece of the frame in which nothing changes
 * @start_ns: its start, from the start of the frame; it ends where the next
 *	segment starts, the last one at the end of the frame
 * @partition: index of the partition whose window it is, or A653_GAP
 * @flags: A653_WINDOW_* of the window
 * @rank: how many windows of the frame start before it
 */
struct a653_seg {
	u64 start_ns;
	u16 partition;
	u16 flags;
	u32 rank;
};

/**
 * struct a653_frame - the frame table of one CPU in one schedule
 * @major_ns: length of the major frame
 * @nr_segs: segments; at least one, the first starts at 0. Gaps and the tail
 *	of the frame are segments like any other.
 * @nr_windows: how many of them are windows
 * @seg: the segments by start
 */
struct a653_frame {
	u64 major_ns;
	u32 nr_segs;
	u32 nr_windows;
	struct a653_seg seg[] __counted_by(nr_segs);
};

/**
 * struct a653_pos - an occurrence of a segment on the time line
 * @frame_ns: when its major frame starts
 * @start_ns: when it starts
 * @end_ns: when it ends and the next one starts; S64_MAX when that is later
 *	than the clock can tell
 * @seg: its index in the frame
 */
struct a653_pos {
	s64 frame_ns;
	s64 start_ns;
	s64 end_ns;
	u32 seg;
};

/* A time that the clock cannot tell is S64_MAX */
static inline s64 a653_add_sat(s64 t_ns, u64 d_ns)
{
	return d_ns > (u64)S64_MAX - (u64)t_ns ? S64_MAX : (s64)((u64)t_ns + d_ns);
}

static inline u64 a653_seg_end(const struct a653_frame *f, u32 seg)
{
	return seg + 1 < f->nr_segs ? f->seg[seg + 1].start_ns : f->major_ns;
}

/**
 * a653_frame_next - go on to the following segment
 * @f: the frame table
 * @pos: the segment; becomes the one that starts where it ends
 *
 * Boundaries are computed from boundaries, never from the current time, so
 * that no error adds up. Beyond the end of the clock's range, starts and ends
 * are S64_MAX.
 *
 * Context: any. O(1), no division.
 */
static inline void a653_frame_next(const struct a653_frame *f,
				   struct a653_pos *pos)
{
	pos->start_ns = pos->end_ns;
	if (++pos->seg == f->nr_segs) {
		pos->seg = 0;
		pos->frame_ns = pos->start_ns;
	}
	pos->end_ns = a653_add_sat(pos->start_ns, a653_seg_end(f, pos->seg) -
						  f->seg[pos->seg].start_ns);
}

void a653_frame_locate(const struct a653_frame *f, s64 base_ns, s64 t_ns,
		       struct a653_pos *pos);
u64 a653_frame_skipped(const struct a653_frame *f, const struct a653_pos *from,
		       const struct a653_pos *to, u32 seg);
s64 a653_frame_boundary(u64 major_ns, s64 base_ns, s64 t_ns);

/**
 * struct a653_conf - a configuration in memory, for checking and building
 * @cfg: its head; the pointers in it are not used
 * @cpus: bit mask of the module's CPUs, cfg->nr_cpu_words words
 * @partitions: cfg->nr_partitions elements
 * @schedules: cfg->nr_schedules elements
 * @windows: cfg->nr_windows elements
 * @budgets: cfg->nr_budgets elements
 */
struct a653_conf {
	struct a653_config cfg;
	const u64 *cpus;
	const struct a653_partition *partitions;
	const struct a653_schedule *schedules;
	const struct a653_window *windows;
	const struct a653_budget *budgets;
};

/**
 * struct a653_limits - what the machine allows
 * @nr_cpus: CPU numbers are below it
 * @min_slack_pct: so much of each frame, in percent, stays free of windows on
 *	each CPU
 */
struct a653_limits {
	u32 nr_cpus;
	u32 min_slack_pct;
};

/* What a violation is about, so that a tool can find the line */
#define A653_NOBODY	U32_MAX

/**
 * struct a653_violation - a rule that a configuration breaks
 * @err: errno of its kind (positive): EINVAL, E2BIG, EOVERFLOW, EBUSY ...
 * @partition: index of the partition it is about, or A653_NOBODY
 * @schedule: index of the schedule, or A653_NOBODY
 * @window: index in the windows array, or A653_NOBODY
 * @other: index of a second window that is involved, or A653_NOBODY
 * @budget: index in the budgets array, or A653_NOBODY
 * @text: the rule and the numbers, as a sentence without a full stop
 */
struct a653_violation {
	int err;
	u32 partition;
	u32 schedule;
	u32 window;
	u32 other;
	u32 budget;
	char text[A653_REASON_LEN];
};

/* Returns true to go on checking, false to stop */
typedef bool (*a653_report_fn)(void *ctx, const struct a653_violation *v);

int a653_config_check(const struct a653_config *cfg,
		      const struct a653_limits *limits, a653_report_fn report,
		      void *ctx);
int a653_conf_check(const struct a653_conf *conf,
		    const struct a653_limits *limits, u32 *scratch,
		    a653_report_fn report, void *ctx);
u32 a653_frame_max_segs(const struct a653_conf *conf, u32 schedule, u32 cpu);
void a653_frame_build(const struct a653_conf *conf, u32 schedule, u32 cpu,
		      u32 *scratch, struct a653_frame *f);
bool a653_name_ok(const char *name);

/* Elements of the scratch array that checking and building work in */
static inline size_t a653_conf_scratch(const struct a653_config *cfg)
{
	return (size_t)cfg->nr_windows + cfg->nr_budgets;
}

static inline bool a653_conf_has_cpu(const struct a653_conf *conf, u32 cpu)
{
	return cpu / 64 < conf->cfg.nr_cpu_words &&
	       conf->cpus[cpu / 64] >> (cpu % 64) & 1;
}

#endif /* _KERNEL_SCHED_A653_FRAME_H */
