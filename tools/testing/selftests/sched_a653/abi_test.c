// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/a653: what it refuses, and why; what it reads back
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "lib.h"

/* A configuration with a bit of everything, on CPU 0 */
static struct conf *sample(void)
{
	struct conf *f = conf_new("m", 1);
	int a, b;

	a = conf_part(f, "alpha", 10 * MS, 3 * MS);
	b = conf_part(f, "beta", 0, 0);
	conf_sched(f, "one", 10 * MS, A653_SCHEDULE_EXCLUSIVE);
	conf_win(f, a, 0, 0, 3 * MS, A653_WINDOW_STRICT);
	conf_win(f, b, 0, 4 * MS, 2 * MS, 0);
	conf_sched(f, "two", 20 * MS, 0);
	conf_win(f, a, 0, 1 * MS, 4 * MS, 0);
	conf_win(f, a, 0, 11 * MS, 4 * MS, 0);
	return f;
}

static struct conf *room(const char *module)
{
	struct conf *g = conf_new(module, 0);

	g->c.nr_partitions = CONF_PARTITIONS;
	g->c.nr_schedules = CONF_SCHEDULES;
	g->c.nr_windows = CONF_WINDOWS;
	g->c.nr_cpu_words = CONF_CPU_WORDS;
	return g;
}

static struct conf *read_back(const char *module)
{
	struct conf *g = room(module);
	int rc = a653_ioctl(A653_IOC_GET, &g->c);

	ASSERT(!rc, "read back: %s (%s)", strerror(-rc), g->reason);
	return g;
}

static void expect_same(const struct conf *a, const struct conf *b)
{
	EXPECT(a->c.nr_partitions == b->c.nr_partitions &&
	       a->c.nr_schedules == b->c.nr_schedules &&
	       a->c.nr_windows == b->c.nr_windows && a->c.clock == b->c.clock &&
	       a->c.initial == b->c.initial, "the heads differ");
	EXPECT(a->cpus[0] == b->cpus[0], "CPUs");
	EXPECT(!memcmp(a->part, b->part, a->c.nr_partitions * sizeof(a->part[0])), "partitions");
	EXPECT(!memcmp(a->sched, b->sched, a->c.nr_schedules * sizeof(a->sched[0])), "schedules");
	EXPECT(!memcmp(a->win, b->win, a->c.nr_windows * sizeof(a->win[0])), "windows");
}

/*
 * One bad thing each, done to a good configuration; the error, and words of
 * the reason.
 */
struct bad {
	const char *what;
	void (*spoil)(struct conf *f);
	int err;
	const char *reason;
};

#define SPOILED(_name, _err, _reason, ...)				\
	static void bad_##_name(struct conf *f) { __VA_ARGS__; }	\
	static const struct bad _name = { #_name, bad_##_name, _err, _reason }

static void fill_partitions(struct conf *f, unsigned int nr)
{
	char name[16];

	while (f->c.nr_partitions < nr) {
		snprintf(name, sizeof(name), "p%u", f->c.nr_partitions);
		conf_part(f, name, 0, 0);
	}
}

/* @nr windows of 100 us on CPU 0 in a schedule of their own */
static void fill_windows(struct conf *f, int nr)
{
	int i;

	conf_sched(f, "full", nr * 200 * US, 0);
	for (i = 0; i < nr; i++)
		conf_win(f, 1, 0, i * 200 * US, 100 * US, 0);
}

static void fill_schedules(struct conf *f, unsigned int nr)
{
	char name[16];

	while (f->c.nr_schedules < nr) {
		snprintf(name, sizeof(name), "s%u", f->c.nr_schedules);
		conf_sched(f, name, 10 * MS, 0);
	}
}

/* The head */
SPOILED(size_zero, EINVAL, "", f->c.size = 0);
/* The first kernel with modules knew no budgets */
SPOILED(size_truncated, EINVAL, "", f->c.size = offsetof(struct a653_config, budgets) - 8);
SPOILED(size_huge, E2BIG, "", f->c.size = 1 << 20);
SPOILED(unknown_flag, EINVAL, "flags", f->c.flags = 1U << 31);
SPOILED(empty_module_name, EINVAL, "module", f->c.module[0] = 0);
SPOILED(module_name_without_end, EINVAL, "module", memset(f->c.module, 'x', A653_NAME_LEN));
SPOILED(module_name_with_slash, EINVAL, "module", f->c.module[0] = '/');
SPOILED(bytes_after_module_name, EINVAL, "module", f->c.module[10] = 'x');
SPOILED(clock_realtime, EINVAL, "clock", f->c.clock = CLOCK_REALTIME);
SPOILED(initial_out_of_range, EINVAL, "initial", f->c.initial = 2);
SPOILED(base_without_flag, EINVAL, "base", f->c.base_ns = 5);
SPOILED(base_negative, EINVAL, "base", f->c.flags = A653_CONFIG_BASE; f->c.base_ns = -1);
SPOILED(base_too_far, ERANGE, "base", f->c.flags = A653_CONFIG_BASE; f->c.base_ns = INT64_MAX);
SPOILED(no_partition, EINVAL, "partition", f->c.nr_partitions = 0);
SPOILED(no_schedule, EINVAL, "schedule", f->c.nr_schedules = 0);
SPOILED(no_cpu, EINVAL, "CPU", f->cpus[0] = 0);
SPOILED(cpu_that_does_not_exist, EINVAL, "CPU", f->cpus[0] = 1ULL << 63);
SPOILED(partitions_null, EFAULT, "address", f->c.partitions = 0);
SPOILED(schedules_null, EFAULT, "address", f->c.schedules = 0);
SPOILED(windows_null, EFAULT, "address", f->c.windows = 8);
SPOILED(cpus_null, EFAULT, "address", f->c.cpus = 0);
SPOILED(windows_in_kernel_space, EFAULT, "address", f->c.windows = 0xffff888000000000ULL);
SPOILED(partition_size_short, EINVAL, "partition", f->c.partition_size -= 8);
SPOILED(schedule_size_short, EINVAL, "schedule", f->c.schedule_size = 0);
SPOILED(window_size_short, EINVAL, "window", f->c.window_size = 4);
SPOILED(window_size_huge, E2BIG, "window", f->c.window_size = 1U << 31);
SPOILED(cpu_words_huge, E2BIG, "CPU", f->c.nr_cpu_words = UINT32_MAX);
SPOILED(windows_huge, E2BIG, "windows", f->c.nr_windows = UINT32_MAX);
SPOILED(lesson09_too_many_partitions, E2BIG, "257", fill_partitions(f, A653_MAX_PARTITIONS + 1));
SPOILED(lesson09_too_many_schedules, E2BIG, "17", fill_schedules(f, A653_MAX_SCHEDULES + 1));
SPOILED(lesson09_too_many_windows, E2BIG, "512", fill_windows(f, A653_MAX_WINDOWS + 1));
SPOILED(windows_not_of_any_schedule, EINVAL, "windows", f->c.nr_windows++);
SPOILED(schedule_with_too_many_windows, EINVAL, "windows", f->sched[1].nr_windows = UINT32_MAX);

/* Partitions */
SPOILED(lesson12_partition_twice, EEXIST, "alpha", set_name(f->part[1].name, "alpha\0"));
SPOILED(empty_partition_name, EINVAL, "name", memset(f->part[1].name, 0, A653_NAME_LEN));
SPOILED(partition_name_without_end, EINVAL, "name", memset(f->part[1].name, 'y', A653_NAME_LEN));
SPOILED(partition_name_with_newline, EINVAL, "name", f->part[1].name[1] = '\n');
SPOILED(partition_flags, EINVAL, "flags", f->part[1].flags = 1);
SPOILED(partition_reserved, EINVAL, "flags", f->part[1].reserved = 1);
SPOILED(period_without_duration, EINVAL, "duration", f->part[1].period_ns = 10 * MS);
SPOILED(duration_without_period, EINVAL, "period", f->part[1].duration_ns = 10 * MS);
SPOILED(duration_longer_than_period, EINVAL, "period", f->part[0].duration_ns = 11 * MS);
SPOILED(period_does_not_divide, EINVAL, "multiple", f->part[0].period_ns = 7 * MS);
SPOILED(too_little_in_a_period, EINVAL, "alpha", f->part[0].duration_ns = 3 * MS + 1);

/* Schedules */
SPOILED(schedule_twice, EEXIST, "one", set_name(f->sched[1].name, "one"));
SPOILED(major_frame_zero, EINVAL, "major", f->sched[1].major_frame_ns = 0);
SPOILED(major_frame_too_long, EINVAL, "major",
	f->sched[1].major_frame_ns = A653_MAX_MAJOR_FRAME_NS + 1);
SPOILED(schedule_flags, EINVAL, "flags", f->sched[0].flags |= 1U << 30);

/* Windows */
SPOILED(lesson07_huge_durations, EOVERFLOW, "", f->win[2].duration_ns = UINT64_MAX - 100 * US;
	f->win[3].duration_ns = UINT64_MAX - 100 * US);
SPOILED(lesson07_sum_wraps, EINVAL, "", f->win[2].offset_ns = 1ULL << 63;
	f->win[2].duration_ns = (1ULL << 63) - 1);
SPOILED(lesson08_tiny_window, EINVAL, "shorter", f->win[1].duration_ns = 1);
SPOILED(lesson08_empty_window, EINVAL, "shorter", f->win[1].duration_ns = 0);
SPOILED(lesson08_window_just_too_short, EINVAL, "shorter",
	f->win[1].duration_ns = A653_MIN_WINDOW_NS - 1);
SPOILED(lesson20_overlapping_windows, EINVAL, "overlaps", f->win[1].offset_ns = 3 * MS - 1);
SPOILED(lesson20_window_in_a_window, EINVAL, "overlaps",
	f->win[1].offset_ns = 1 * MS; f->win[1].duration_ns = MS);
SPOILED(lesson01_window_beyond_the_frame, EINVAL, "major frame",
	f->win[1].offset_ns = 8 * MS + 1);
SPOILED(window_of_no_partition, EINVAL, "partition", f->win[1].partition = 2);
SPOILED(window_of_huge_partition, EINVAL, "partition", f->win[1].partition = UINT32_MAX);
SPOILED(window_on_foreign_cpu, EINVAL, "CPU", f->win[1].cpu = 1);
SPOILED(window_on_huge_cpu, EINVAL, "CPU", f->win[1].cpu = UINT32_MAX);
SPOILED(window_flags, EINVAL, "flags", f->win[1].flags = 1U << 31);
SPOILED(window_reserved, EINVAL, "flags", f->win[1].reserved = 1);
/* lesson 1: a frame that is full wraps with nothing left */
SPOILED(no_slack, EBUSY, "free", f->win[1].offset_ns = 3 * MS; f->win[1].duration_ns = 7 * MS);

static const struct bad *const bad[] = {
	&size_zero, &size_truncated, &size_huge, &unknown_flag, &empty_module_name,
	&module_name_without_end, &module_name_with_slash, &bytes_after_module_name,
	&clock_realtime, &initial_out_of_range, &base_without_flag, &base_negative,
	&base_too_far, &no_partition, &no_schedule, &no_cpu, &cpu_that_does_not_exist,
	&partitions_null, &schedules_null, &windows_null, &cpus_null,
	&windows_in_kernel_space, &partition_size_short, &schedule_size_short,
	&window_size_short, &window_size_huge, &cpu_words_huge, &windows_huge,
	&lesson09_too_many_partitions, &lesson09_too_many_schedules,
	&lesson09_too_many_windows, &windows_not_of_any_schedule,
	&schedule_with_too_many_windows,
	&lesson12_partition_twice, &empty_partition_name, &partition_name_without_end,
	&partition_name_with_newline, &partition_flags, &partition_reserved,
	&period_without_duration, &duration_without_period,
	&duration_longer_than_period, &period_does_not_divide, &too_little_in_a_period,
	&schedule_twice, &major_frame_zero, &major_frame_too_long, &schedule_flags,
	&lesson07_huge_durations, &lesson07_sum_wraps, &lesson08_tiny_window,
	&lesson08_empty_window, &lesson08_window_just_too_short,
	&lesson20_overlapping_windows, &lesson20_window_in_a_window,
	&lesson01_window_beyond_the_frame, &window_of_no_partition,
	&window_of_huge_partition, &window_on_foreign_cpu, &window_on_huge_cpu,
	&window_flags, &window_reserved, &no_slack,
};

/* @only: those whose name begins so; NULL: the others, that belong to no lesson */
static void refuse(const char *only)
{
	struct conf *good = sample(), *before, *after, *f;
	struct a653_status st, st2;
	size_t i;
	int rc, n = 0;

	/* with something loaded that must not change, and with nothing */
	conf_start(good);
	before = read_back("m");
	ASSERT(!get_status("m", &st), "status");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct bad *b = bad[i];

		if (only ? strncmp(b->what, only, strlen(only)) :
			   !strncmp(b->what, "lesson", 6))
			continue;
		n++;
		f = sample();
		b->spoil(f);
		rc = conf_load(f, 0);
		EXPECT(rc == -b->err, "%s: %s instead of %s (%s)", b->what, strerror(-rc),
		       strerror(b->err), f->reason);
		EXPECT(strstr(f->reason, b->reason), "%s: \"%s\" does not say \"%s\"", b->what,
		       f->reason, b->reason);
		/* a caller who does not ask for the reason gets the same error */
		f->c.reason = 0;
		f->c.reason_len = 0;
		rc = conf_load(f, 0);
		EXPECT(rc == -b->err, "%s, no reason wanted: %s", b->what, strerror(-rc));
		free(f);
	}
	after = read_back("m");
	expect_same(before, after);
	ASSERT(!get_status("m", &st2), "status");
	EXPECT(st.switched == st2.switched && st.base_ns == st2.base_ns &&
	       !(st2.flags & A653_STATUS_PENDING), "something changed");
	EXPECT(nr_modules() == 1, "%d modules", nr_modules());
	unload("m", 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		f = sample();
		bad[i]->spoil(f);
		EXPECT(conf_load(f, 0), "%s was loaded", bad[i]->what);
		free(f);
	}
	EXPECT(!nr_modules(), "a module came of it");
	test_note("%d bad configurations", n);
}

TEST(bad_configurations_are_refused)
{
	refuse(NULL);
}

TEST(lesson07_huge_durations_do_not_overflow)
{
	refuse("lesson07");
}

TEST(lesson08_tiny_windows_are_refused)
{
	refuse("lesson08");
}

TEST(lesson20_overlapping_windows_are_refused)
{
	refuse("lesson20");
}

TEST(lesson09_full_tables_work)
{
	struct conf *f, *g;
	struct a653_stat st;
	int rc;

	refuse("lesson09");

	/* exactly full is fine */
	f = conf_new("m", 1);
	fill_partitions(f, A653_MAX_PARTITIONS);
	fill_windows(f, A653_MAX_WINDOWS);
	rc = conf_load(f, A653_CONFIG_WAIT);
	ASSERT(!rc, "%s (%s)", strerror(-rc), f->reason);
	g = read_back("m");
	expect_same(f, g);
	/* the last window is there: it opens once in a frame */
	do {
		pass(20 * MS);
		st = get_stat("m", 1, 0);
	} while (st.opened + st.missed <= 2 * A653_MAX_WINDOWS);
	rc = unload("m", 0);
	EXPECT(!rc, "unload: %s", strerror(-rc));

	f = conf_new("m", 1);
	fill_partitions(f, 2);
	fill_schedules(f, A653_MAX_SCHEDULES);
	rc = conf_load(f, A653_CONFIG_WAIT);
	EXPECT(!rc, "%d schedules: %s (%s)", A653_MAX_SCHEDULES, strerror(-rc), f->reason);
}

/* What is read back is what was loaded, and loads again; no byte more comes */
TEST(lesson16_read_back_is_what_was_loaded)
{
	struct conf *f = sample(), *g, *h;
	struct a653_status st;
	unsigned char *raw;
	unsigned int i;
	int rc;

	conf_start(f);
	g = read_back("m");
	expect_same(f, g);
	EXPECT(!strncmp(g->c.module, "m", A653_NAME_LEN), "name");
	EXPECT(g->c.clock == CLOCK_MONOTONIC, "clock");
	rc = conf_load(g, A653_CONFIG_WAIT);
	ASSERT(!rc, "loading what was read back: %s (%s)", strerror(-rc), g->reason);
	h = read_back("m");
	expect_same(f, h);

	/* in another schedule that is what is read back */
	ASSERT(!switch_to("m", "two", A653_REQUEST_WAIT, 0), "switch");
	h = read_back("m");
	EXPECT(h->c.initial == 1, "initial is %u", h->c.initial);

	/* bytes beyond what the kernel knows are zero, others untouched */
	h = room("m");
	raw = malloc(100 * 256);
	memset(raw, 0xa5, 100 * 256);
	h->c.partitions = (uintptr_t)raw;
	h->c.partition_size = 256;
	rc = a653_ioctl(A653_IOC_GET, &h->c);
	ASSERT(!rc, "longer elements: %s (%s)", strerror(-rc), h->reason);
	for (i = 0; i < 100 * 256; i++) {
		unsigned char want = 0xa5;

		if (i < 2 * 256)
			want = i % 256 < sizeof(f->part[0]) ?
			       ((unsigned char *)&f->part[i / 256])[i % 256] : 0;
		if (raw[i] != want)
			break;
	}
	EXPECT(i == 100 * 256, "byte %u is %02x", i, raw[i]);

	/* names are padded with zeros, not with what was on the stack */
	memset(&st, 0xff, sizeof(st));
	st.size = sizeof(st);
	st.flags = 0;
	memset(st.module, 0, sizeof(st.module));
	st.index = 0;
	st.nr_stats = 0;
	st.stats = 0;
	st.reserved = 0;
	st.reason = 0;
	st.reason_len = 0;
	ASSERT(!a653_ioctl(A653_IOC_STATUS, &st), "status");
	for (i = 1; i < A653_NAME_LEN; i++)
		EXPECT(!st.module[i], "byte %u of the name is %02x", i, st.module[i]);

	/* too little room: how much is needed, and nothing written */
	h = room("m");
	h->c.nr_windows = 3;
	memset(h->win, 0x5a, sizeof(h->win[0]) * 8);
	rc = a653_ioctl(A653_IOC_GET, &h->c);
	EXPECT(rc == -ENOSPC && h->c.nr_windows == 4, "%s, %u windows", strerror(-rc),
	       h->c.nr_windows);
	EXPECT(h->reason[0], "no reason");
	for (i = 0; i < sizeof(h->win[0]) * 8; i++)
		if (((unsigned char *)h->win)[i] != 0x5a)
			break;
	EXPECT(i == sizeof(h->win[0]) * 8, "byte %u was written", i);
}

/* Structures of the future: longer, and zero where this kernel knows nothing */
TEST(longer_structures_are_accepted_if_zero)
{
	struct {
		struct a653_config c;
		uint64_t more[4];
	} big = { };
	struct conf *f = sample();
	unsigned char *wins;
	unsigned int i;
	int rc;

	big.c = f->c;
	big.c.size = sizeof(big);
	rc = a653_ioctl(A653_IOC_LOAD, &big);
	EXPECT(!rc, "zeros: %s (%s)", strerror(-rc), f->reason);
	big.more[3] = 1;
	rc = a653_ioctl(A653_IOC_LOAD, &big);
	EXPECT(rc == -E2BIG && f->reason[0], "not zero: %s", strerror(-rc));

	wins = calloc(f->c.nr_windows, 48);
	for (i = 0; i < f->c.nr_windows; i++)
		memcpy(wins + 48 * i, &f->win[i], sizeof(f->win[i]));
	f->c.windows = (uintptr_t)wins;
	f->c.window_size = 48;
	rc = conf_load(f, A653_CONFIG_WAIT);
	EXPECT(!rc, "longer windows: %s (%s)", strerror(-rc), f->reason);
	wins[2 * 48 + 47] = 1;
	rc = conf_load(f, 0);
	EXPECT(rc == -E2BIG && f->reason[0], "not zero: %s", strerror(-rc));
}

TEST(dry_run_changes_nothing)
{
	struct conf *f = sample();
	int rc;

	rc = conf_load(f, A653_CONFIG_DRY_RUN);
	EXPECT(!rc && !nr_modules(), "%s, %d modules", strerror(-rc), nr_modules());
	conf_start(f);
	f->sched[1].major_frame_ns = 30 * MS;
	f->part[0].period_ns = 0;
	f->part[0].duration_ns = 0;
	rc = conf_load(f, A653_CONFIG_DRY_RUN);
	EXPECT(!rc, "%s (%s)", strerror(-rc), f->reason);
	EXPECT(read_back("m")->sched[1].major_frame_ns == 20 * MS, "it was loaded");
	f->win[0].duration_ns = 1;
	rc = conf_load(f, A653_CONFIG_DRY_RUN);
	EXPECT(rc == -EINVAL && f->reason[0], "%s", strerror(-rc));
}

static void refused(const char *what, int line, int rc, int want, char *reason)
{
	EXPECT(rc == -want && reason[0], "%s, line %d: %s instead of %s (%s)", what, line,
	       strerror(-rc), strerror(want), reason);
	reason[0] = 0;
}

/* Requests: switch, unload, status */
TEST(bad_requests_are_refused)
{
	struct a653_request r;
	struct a653_status st;
	struct a653_stat one;
	char reason[A653_REASON_LEN] = "";
	struct conf *f = sample();
	int rc;

	conf_start(f);
#define REFUSED(nr, arg, want) \
	refused(#nr, __LINE__, a653_ioctl(nr, arg), want, reason)
#define FRESH(name) \
	(r = new_request(name), set_name(r.schedule, "two"), \
	 r.reason = (uintptr_t)reason, r.reason_len = sizeof(reason))

	FRESH("nobody");
	REFUSED(A653_IOC_SWITCH, &r, ENOENT);
	FRESH("nobody");
	REFUSED(A653_IOC_UNLOAD, &r, ENOENT);
	FRESH("m");
	set_name(r.schedule, "nothing");
	REFUSED(A653_IOC_SWITCH, &r, ENOENT);
	FRESH("m");
	memset(r.schedule, 'x', sizeof(r.schedule));
	REFUSED(A653_IOC_SWITCH, &r, EINVAL);
	FRESH("m");
	memset(r.module, 'x', sizeof(r.module));
	REFUSED(A653_IOC_UNLOAD, &r, EINVAL);
	FRESH("m");
	r.flags = A653_REQUEST_FORCE;
	REFUSED(A653_IOC_SWITCH, &r, EINVAL);
	FRESH("m");
	r.flags = A653_REQUEST_WAIT;
	REFUSED(A653_IOC_UNLOAD, &r, EINVAL);
	FRESH("m");
	r.reserved = 1;
	REFUSED(A653_IOC_SWITCH, &r, EINVAL);
	FRESH("m");
	r.flags = A653_REQUEST_AT;
	r.at_ns = INT64_MAX;
	REFUSED(A653_IOC_SWITCH, &r, ERANGE);
	FRESH("m");
	r.size = 8;
	EXPECT(a653_ioctl(A653_IOC_SWITCH, &r) == -EINVAL, "short request");
	EXPECT(a653_ioctl(A653_IOC_SWITCH, NULL) == -EFAULT, "no request");
	EXPECT(a653_ioctl(A653_IOC_LOAD, NULL) == -EFAULT, "no configuration");
	EXPECT(a653_ioctl(A653_IOC_STATUS, (void *)-4096L) == -EFAULT, "wild pointer");
	EXPECT(a653_ioctl(A653_IOC(99), &r) == -ENOTTY, "unknown number");

	get_status("m", &st);
	st.reason = (uintptr_t)reason;
	st.reason_len = sizeof(reason);
	set_name(st.module, "nobody");
	REFUSED(A653_IOC_STATUS, &st, ENOENT);
	memset(st.module, 0, sizeof(st.module));
	st.index = 1;
	REFUSED(A653_IOC_STATUS, &st, ENOENT);
	st.index = 0;
	st.nr_stats = 1;
	st.stats = (uintptr_t)&one;
	REFUSED(A653_IOC_STATUS, &st, ENOSPC);
	EXPECT(st.nr_stats == 2, "%u stats needed", st.nr_stats);
	st.reserved = 1;
	REFUSED(A653_IOC_STATUS, &st, EINVAL);

	/* a reason longer than its buffer is cut, and ends */
	FRESH("m");
	set_name(r.schedule, "nothing");
	memset(reason, 'z', sizeof(reason));
	r.reason_len = 8;
	rc = a653_ioctl(A653_IOC_SWITCH, &r);
	EXPECT(rc == -ENOENT && strnlen(reason, 8) == 7 && reason[8] == 'z', "short reason");
	r.reason = 8;
	EXPECT(a653_ioctl(A653_IOC_SWITCH, &r) < 0, "reason nowhere");
	/* nothing of it has changed anything */
	expect_same(f, read_back("m"));
}

/* Only who has CAP_SYS_NICE changes; everybody may look */
TEST(changes_need_a_capability)
{
	struct conf *f = sample();
	struct a653_status st;
	int rc;

	conf_start(f);
	ASSERT(!setresgid(65534, 65534, 65534) && !setresuid(65534, 65534, 65534), "setuid");
	rc = conf_load(f, 0);
	EXPECT(rc == -EPERM && strstr(f->reason, "CAP_SYS_NICE"), "load: %s (%s)",
	       strerror(-rc), f->reason);
	EXPECT(switch_to("m", "two", 0, 0) == -EPERM, "switch");
	EXPECT(unload("m", 0) == -EPERM, "unload");
	EXPECT(!get_status("m", &st), "status");
	expect_same(f, read_back("m"));
}
