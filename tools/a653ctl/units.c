// SPDX-License-Identifier: GPL-2.0
/* Times and CPU lists, to and from text */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liba653.h"

static const struct unit {
	const char *name;
	__u64 ns;
} units[] = {
	{ "s", NS_PER_S },
	{ "ms", NS_PER_MS },
	{ "us", NS_PER_US },
	{ "ns", 1 },
};

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].name, name))
			return &units[i];
	return NULL;
}

/**
 * parse_time - read "3ms", "2.5us"
 * @text: digits, perhaps a fraction, and a unit
 * @ns: the time
 *
 * Nothing is rounded: what is no whole number of nanoseconds is refused.
 *
 * Return: NULL, or what is wrong with the text.
 */
const char *parse_time(const char *text, __u64 *ns)
{
	const struct unit *unit;
	__u64 whole = 0, part = 0, digit_ns;
	const char *p = text, *fraction;

	if (!isdigit((unsigned char)*p))
		return "is no time: say a number and a unit, as in \"3ms\"";
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *p - '0', &whole))
			return "is too long a time";
	fraction = p;
	if (*p == '.')
		while (isdigit((unsigned char)*++p))
			;
	if (!*p)
		return "has no unit: say ns, us, ms or s, as in \"3ms\"";
	unit = find_unit(p);
	if (!unit)
		return "has an unknown unit: say ns, us, ms or s, as in \"3ms\"";
	digit_ns = unit->ns;
	if (*fraction == '.') {
		for (fraction++; isdigit((unsigned char)*fraction); fraction++) {
			if (*fraction != '0' && digit_ns < 10)
				return "is no whole number of nanoseconds";
			digit_ns /= 10;
			part += digit_ns * (*fraction - '0');
		}
	}
	if (__builtin_mul_overflow(whole, unit->ns, &whole) ||
	    __builtin_add_overflow(whole, part, &whole) || whole > LLONG_MAX)
		return "is too long a time";
	*ns = whole;
	return NULL;
}

static const struct unit *largest_unit(__u64 ns)
{
	const struct unit *unit = units;

	while (unit->ns > ns && unit->ns > 1)
		unit++;
	return unit;
}

/* Exactly @ns, in the largest unit of which it is at least one */
const char *time_text(char buf[static TIME_TEXT], __u64 ns)
{
	const struct unit *unit = largest_unit(ns);
	__u64 rest = ns % unit->ns;
	int digits = 0;

	for (__u64 u = unit->ns; u > 1; u /= 10)
		digits++;
	if (!rest) {
		/* "0ms" reads better than "0ns" */
		snprintf(buf, TIME_TEXT, "%llu%s", ns / unit->ns,
			 ns ? unit->name : "ms");
		return buf;
	}
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	snprintf(buf, TIME_TEXT, "%llu.%0*llu%s", ns / unit->ns, digits, rest,
		 unit->name);
	return buf;
}

/* About @ns: three digits, for what was measured */
const char *time_brief(char buf[static TIME_TEXT], __u64 ns)
{
	const struct unit *unit = largest_unit(ns);
	double value = (double)ns / unit->ns;
	int digits = value >= 100 || unit->ns == 1 ? 0 : value >= 10 ? 1 : 2;

	snprintf(buf, TIME_TEXT, "%.*f%s", digits, value, unit->name);
	return buf;
}

static const char *parse_cpu(const char **text, unsigned int *cpu)
{
	const char *p = *text;

	if (!isdigit((unsigned char)*p))
		return "is no list of CPUs: say it as in \"0-1,3\"";
	for (*cpu = 0; isdigit((unsigned char)*p); p++) {
		*cpu = *cpu * 10 + (*p - '0');
		if (*cpu >= MAX_CPUS)
			return "names a CPU that no machine has";
	}
	*text = p;
	return NULL;
}

void cpus_set(struct cpus *cpus, unsigned int cpu)
{
	cpus->word[cpu / 64] |= 1ULL << (cpu % 64);
}

bool cpus_test(const struct cpus *cpus, unsigned int cpu)
{
	return cpu < MAX_CPUS && cpus->word[cpu / 64] >> (cpu % 64) & 1;
}

/**
 * parse_cpus - read a list of CPUs as cpusets have it: "0-1,3"
 * @text: the list; empty is refused
 * @cpus: the CPUs
 *
 * Return: NULL, or what is wrong with the text.
 */
const char *parse_cpus(const char *text, struct cpus *cpus)
{
	unsigned int first, last;
	const char *wrong;

	memset(cpus, 0, sizeof(*cpus));
	for (;;) {
		wrong = parse_cpu(&text, &first);
		if (wrong)
			return wrong;
		last = first;
		if (*text == '-') {
			text++;
			wrong = parse_cpu(&text, &last);
			if (wrong)
				return wrong;
		}
		if (last < first)
			return "has a range that ends before it starts";
		for (; first <= last; first++)
			cpus_set(cpus, first);
		if (!*text)
			return NULL;
		if (*text++ != ',')
			return "is no list of CPUs: say it as in \"0-1,3\"";
	}
}

static bool test_word(const u64 *word, size_t nr_words, size_t cpu)
{
	return cpu / 64 < nr_words && word[cpu / 64] >> (cpu % 64) & 1;
}

/* The CPUs as a list; the caller frees it */
char *cpus_text(const u64 *word, size_t nr_words)
{
	char *text = xstrdup(""), *longer;
	size_t cpu, last;

	for (cpu = 0; cpu < nr_words * 64; cpu = last + 1) {
		last = cpu;
		if (!test_word(word, nr_words, cpu))
			continue;
		while (test_word(word, nr_words, last + 1))
			last++;
		if (last > cpu)
			longer = xasprintf("%s%s%zu-%zu", text,
					   *text ? "," : "", cpu, last);
		else
			longer = xasprintf("%s%s%zu", text, *text ? "," : "",
					   cpu);
		free(text);
		text = longer;
	}
	return text;
}

unsigned int cpus_nr_words(const struct cpus *cpus)
{
	unsigned int nr = CPU_WORDS;

	while (nr && !cpus->word[nr - 1])
		nr--;
	return nr;
}

bool cpus_subset(const struct cpus *some, const struct cpus *all)
{
	for (size_t i = 0; i < CPU_WORDS; i++)
		if (some->word[i] & ~all->word[i])
			return false;
	return true;
}

/* The "possible", "present" or "online" CPUs of this machine */
bool machine_cpus(const char *which, struct cpus *cpus)
{
	char path[64], line[256] = "";
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/%s", which);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(line, sizeof(line), f);
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return ok && !parse_cpus(line, cpus);
}
