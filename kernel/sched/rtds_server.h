/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deferrable servers: the arithmetic of budgets, and what a CPU can promise
 *
 * Pure: no locks, no clocks, no struct rq, no allocation. The same source is
 * compiled into the kernel, into a653ctl (which decides whether budgets fit
 * before anybody loads them) and into the host tests. The model is explained in
 * rtds_server.c and, with proofs, in Documentation/scheduler/sched-rtds.rst.
 */
#ifndef _KERNEL_SCHED_RTDS_SERVER_H
#define _KERNEL_SCHED_RTDS_SERVER_H

#include "a653_frame.h"

#define RTDS_MIN_PERIOD_NS	100000ULL
#define RTDS_MAX_PERIOD_NS	4000000000ULL
#define RTDS_MIN_BUDGET_NS	10000ULL

/*
 * Levels. A server that is more urgent by its level runs first, whatever the
 * deadlines are. The number of the last one stands for all that would follow.
 */
#define RTDS_LEVEL_BUDGET	0	/* what was promised */
#define RTDS_LEVEL_LATE		1	/* kept too long to be promised any more */
#define RTDS_LEVEL_EXTRA	2	/* and up: a budget that was not its own */
#define RTDS_LEVEL_LAST		14

/**
 * struct rtds_params - what a server is given
 * @budget_ns: in each period; 0: it is no server
 * @period_ns: length of its periods
 * @extra: extratime: with its budget gone it goes on in time nobody claims
 */
struct rtds_params {
	u64 budget_ns;
	u64 period_ns;
	bool extra;
};

/**
 * struct rtds_server - a deferrable server
 * @par: its parameters. A larger budget counts from the next period.
 * @deadline_ns: end of the current period, on CLOCK_MONOTONIC
 * @left_ns: what it may still run at @level
 * @late_ns: what it may run at RTDS_LEVEL_LATE after that
 * @level: RTDS_LEVEL_*
 *
 * It is depleted if @left_ns is 0; @late_ns is 0 then, too.
 */
struct rtds_server {
	struct rtds_params par;
	s64 deadline_ns;
	u64 left_ns;
	u64 late_ns;
	u32 level;
};

/* What rtds_charge() found, see there */
#define RTDS_RENEWED	0x1	/* at least one period began */
#define RTDS_LEVELLED	0x2	/* the level is another one */
#define RTDS_DEPLETED	0x4	/* nothing is left */

int rtds_params_check(const struct rtds_params *par);
void rtds_start(struct rtds_server *s, const struct rtds_params *par, s64 now);
void rtds_change(struct rtds_server *s, const struct rtds_params *par, s64 now);
u64 rtds_catch_up(struct rtds_server *s, s64 now);
void rtds_wake(struct rtds_server *s, s64 now);
unsigned int rtds_charge(struct rtds_server *s, s64 from, s64 to);

static inline bool rtds_depleted(const struct rtds_server *s)
{
	return !s->left_ns;
}

/*
 * The order of servers in one number: smaller is more urgent. Level first, then
 * deadline; 2^60 ns are 36 years of uptime.
 */
#define RTDS_KEY_FIRST	0ULL			/* nothing comes before it */
#define RTDS_KEY_NONE	U64_MAX			/* everything comes before it */
/* Nothing at RTDS_LEVEL_EXTRA or after it comes before it */
#define RTDS_KEY_EXTRA	((u64)RTDS_LEVEL_EXTRA << 60)

static inline u64 rtds_key(const struct rtds_server *s)
{
	return (u64)s->level << 60 | (u64)s->deadline_ns;
}

u64 rtds_wake_key(const struct rtds_server *s, s64 now);

/*
 * Admission. Utilisations are fractions of a CPU in units of 2^-32; those of
 * servers are rounded up, those of CPUs down.
 */
#define RTDS_UNIT_SHIFT		32
#define RTDS_UNIT		0x100000000ULL
/* Points of a supply bound function that are kept */
#define RTDS_SUPPLY_POINTS	64

/**
 * struct rtds_supply - how much time a CPU leaves to servers, at the least
 * @major_ns: length of the frame that repeats
 * @free_ns: of it, time that is free of windows
 * @lag_ns: free time is never more than this behind its average: in no interval
 *	of a length L less than L * @free_ns / @major_ns - @lag_ns
 * @nr: points used, at least one
 * @len_ns: ascending; lengths of intervals within one frame (0 < len <=
 *	@major_ns) at the end of which the bound stops being flat
 * @sum_ns: at least so much of any interval of that length is free
 *
 * Between two points the bound rises with slope 1 from the one, until it has the
 * value of the other. With more corners than there is room for, points are
 * dropped such that the bound only gets lower.
 */
struct rtds_supply {
	u64 major_ns;
	u64 free_ns;
	u64 lag_ns;
	u32 nr;
	u64 len_ns[RTDS_SUPPLY_POINTS];
	u64 sum_ns[RTDS_SUPPLY_POINTS];
};

/**
 * struct rtds_demand - what servers on a CPU ask of it
 * @util: sum of their utilisations
 * @burst_ns: demand that may come at once, besides
 * @shortest_ns: their shortest period
 */
struct rtds_demand {
	u64 util;
	u64 burst_ns;
	u64 shortest_ns;
};

/**
 * struct rtds_margin - how near a CPU is to its limit
 * @len_ns: the length of interval in which it is nearest; 0, with the others, if
 *	there was no need to look at intervals
 * @supply_ns: free time that each interval of this length has
 * @demand_ns: what the servers may ask in it
 */
struct rtds_margin {
	u64 len_ns;
	u64 supply_ns;
	u64 demand_ns;
};

u64 rtds_util(const struct rtds_params *par);
void rtds_supply_full(struct rtds_supply *sup);
void rtds_supply_build(struct rtds_supply *sup, const struct a653_frame *f);
u64 rtds_supply_util(const struct rtds_supply *sup);
u64 rtds_supply_in(const struct rtds_supply *sup, u64 len_ns);
bool rtds_fits(const struct rtds_supply *sup, const struct rtds_demand *dem,
	       u32 reserve_pct, struct rtds_margin *margin);
bool rtds_fits_global(u64 supply_util, u64 lag_ns, u64 util, u64 util_max,
		      u32 nr_cpus, u64 shortest_ns);
int rtds_conf_check(const struct a653_conf *conf,
		    const struct a653_limits *limits, u32 *scratch,
		    struct a653_frame *frame, struct rtds_supply *sup,
		    a653_report_fn report, void *ctx);

#endif /* _KERNEL_SCHED_RTDS_SERVER_H */
