// SPDX-License-Identifier: GPL-2.0
/*
 * vm-init - process 1 of the guest that scripts/vm boots
 *
 * Builds a working system around one command, runs it, leaves its status.
 * A program and not a script, because each process that a script starts costs
 * an emulated guest some 50 ms, and there is a guest per test.
 *
 * What to do stands in the file "job" on the share named "vm", as strings that
 * end in NUL: a letter and a value each (see read_job()).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLAN9	"trans=virtio,version=9p2000.L,msize=262144,cache=none"

static const char *top = "/", *cwd = "/";
static const char *shares[64];
static int nr_shares;
static char *argv[4096];
static int nr_args;
static unsigned short rows, columns;
static unsigned int smear_ns;
static bool interactive;

static void complain(const char *what, const char *which)
{
	fprintf(stderr, "vm-init: %s %s: %s\n", what, which, strerror(errno));
}

static void do_mount(const char *type, const char *what, const char *where,
		     const char *options)
{
	if (mount(what, where, type, 0, options) && errno != EBUSY)
		complain("mount", where);
}

static void make_path(const char *path)
{
	char *p = strdup(path), *s;

	for (s = strchr(p + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		mkdir(p, 0755);
		*s = '/';
	}
	mkdir(p, 0755);
	free(p);
}

static void make_system(void)
{
	do_mount("proc", "proc", "/proc", NULL);
	do_mount("sysfs", "sys", "/sys", NULL);
	do_mount("devtmpfs", "dev", "/dev", NULL);
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 0755);
	mkdir("/dev/mqueue", 0755);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("fd/0", "/dev/stdin");
	symlink("fd/1", "/dev/stdout");
	symlink("fd/2", "/dev/stderr");
	do_mount("devpts", "devpts", "/dev/pts", "ptmxmode=666");
	do_mount("tmpfs", "tmpfs", "/dev/shm", NULL);
	do_mount("mqueue", "mqueue", "/dev/mqueue", NULL);
	do_mount("cgroup2", "cgroup2", "/sys/fs/cgroup", NULL);
	do_mount("tracefs", "tracefs", "/sys/kernel/tracing", NULL);
	do_mount("debugfs", "debugfs", "/sys/kernel/debug", NULL);
	do_mount("tmpfs", "tmpfs", "/run", NULL);
	do_mount("tmpfs", "tmpfs", "/var/tmp", NULL);
	mkdir("/run/vm", 0755);
	mkdir("/run/lock", 01777);
	do_mount("9p", "vm", "/run/vm", PLAN9);
	sethostname("a653", 4);
}

static void read_job(void)
{
	static char buf[1 << 20];
	char *s = buf;
	ssize_t n;
	int fd;

	fd = open("/run/vm/job", O_RDONLY);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		complain("read", "/run/vm/job");
	close(fd);

	clearenv();
	for (; n > 0 && s < buf + n; s += strlen(s) + 1) {
		switch (*s) {
		case 't':
			top = s + 1;
			break;
		case 'd':
			cwd = s + 1;
			break;
		case 'i':	/* interactive, on a terminal of this size */
			interactive = true;
			if (sscanf(s + 1, "%hu %hu", &rows, &columns) != 2)
				rows = 0;
			break;
		case 'h':
			smear_ns = atoi(s + 1);
			break;
		case 's':
			if (nr_shares < 64)
				shares[nr_shares++] = s + 1;
			break;
		case 'e':
			putenv(s + 1);
			break;
		case 'a':
			if (nr_args < 4095)
				argv[nr_args++] = s + 1;
			break;
		}
	}
}

/* Put a directory that a mount has covered back into its place. */
static void reveal(const char *path, int fd)
{
	char from[32];

	if (strncmp(path, "/tmp/", 5) || fd < 0)
		return;
	make_path(path);
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (mount(from, path, NULL, MS_BIND, NULL))
		complain("bind", path);
}

static void make_places(void)
{
	int topfd = open(top, O_PATH | O_CLOEXEC);
	int cwdfd = open(cwd, O_PATH | O_CLOEXEC);
	char tag[16], *path;
	int i;

	do_mount("tmpfs", "tmpfs", "/tmp", NULL);
	reveal(top, topfd);
	reveal(cwd, cwdfd);
	close(topfd);
	close(cwdfd);

	for (i = 0; i < nr_shares; i++) {
		snprintf(tag, sizeof(tag), "share%d", i);
		make_path(shares[i]);
		do_mount("9p", tag, shares[i], PLAN9);
	}

	if (asprintf(&path, "%s/build/bin:%s", top, getenv("PATH") ?: "/usr/bin:/bin") > 0)
		setenv("PATH", path, 1);
	if (chdir(cwd)) {
		complain("cd", cwd);
		if (chdir("/"))
			complain("cd", "/");
	}
}

/*
 * Under -icount QEMU runs one CPU after the other, each up to the next timer
 * of the machine. A timer that is always near keeps them close together in
 * virtual time. HPET timer 2, which Linux leaves alone, does it; its interrupt
 * goes to a pin of the I/O APIC that is masked. QEMU's HPET ticks each 10 ns.
 */
#define HPET_BASE	0xfed00000
#define HPET_CFG	0x010
#define HPET_T2_CFG	0x140
#define HPET_T2_CMP	0x148
#define HPET_PIN	23

static void start_smear_timer(void)
{
	volatile uint8_t *hpet;
	uint32_t conf = 1 << 2 |	/* raises interrupts, */
			1 << 3 |	/* periodically, */
			1 << 6 |	/* comparator and period are set at once */
			HPET_PIN << 9;
	int fd = open("/dev/mem", O_RDWR | O_SYNC);

	hpet = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HPET_BASE);
	if (fd < 0 || hpet == MAP_FAILED) {
		complain("map", "the HPET");
		return;
	}
	*(volatile uint32_t *)(hpet + HPET_T2_CFG) = conf;
	*(volatile uint32_t *)(hpet + HPET_T2_CMP) = smear_ns / 10;
	*(volatile uint32_t *)(hpet + HPET_T2_CMP + 4) = 0;
	*(volatile uint32_t *)(hpet + HPET_CFG) |= 1;
}

struct stream {
	int from, to;
	pthread_t thread;
};

static void *forward(void *arg)
{
	struct stream *s = arg;
	char buf[65536], *p;
	ssize_t n, m;

	while ((n = read(s->from, buf, sizeof(buf))) > 0) {
		for (p = buf; n > 0; p += m, n -= m) {
			m = write(s->to, p, n);
			if (m <= 0)
				goto out;
		}
	}
out:
	close(s->from);
	close(s->to);
	return NULL;
}

/* The ports carry plain bytes; their device number is the only surprise. */
static int open_port(int nr, int flags)
{
	char name[64], suffix[8];
	struct dirent *d;
	int fd = -1;
	DIR *dev;

	snprintf(suffix, sizeof(suffix), "p%d", nr);
	dev = opendir("/dev");
	while (dev && (d = readdir(dev))) {
		if (strncmp(d->d_name, "vport", 5) || !strchr(d->d_name + 5, 'p') ||
		    strcmp(strchr(d->d_name + 5, 'p'), suffix))
			continue;
		snprintf(name, sizeof(name), "/dev/%.48s", d->d_name);
		fd = open(name, flags | O_CLOEXEC);
	}
	if (dev)
		closedir(dev);
	if (fd < 0)
		complain("open", suffix);
	return fd;
}

/*
 * Pipes stand between the command and the ports: a port can be open only once,
 * and a program may open its standard output again by name.
 */
static void connect_stream(struct stream *s, int fd, int *child_end)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		complain("pipe", "");
	if (fd == 0) {
		*s = (struct stream){ .from = open_port(1, O_RDONLY), .to = p[1] };
		*child_end = p[0];
	} else {
		*s = (struct stream){ .from = p[0], .to = open_port(fd + 1, O_WRONLY) };
		*child_end = p[1];
	}
}

static void become_command(int *fds)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	int i;

	setsid();
	if (interactive) {
		fds[0] = open("/dev/hvc0", O_RDWR);
		fds[1] = fds[0];
		fds[2] = fds[0];
		ioctl(fds[0], TIOCSCTTY, 1);
		ioctl(fds[0], TIOCSWINSZ, &size);
	}
	for (i = 0; i < 3; i++)
		dup2(fds[i], i);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	dprintf(2, "vm: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int run(void)
{
	struct stream streams[3];
	struct timespec until;
	int i, fds[3], status = 0;
	pid_t child, pid;

	for (i = 0; i < 3 && !interactive; i++)
		connect_stream(&streams[i], i, &fds[i]);
	child = fork();
	if (child == 0)
		become_command(fds);
	for (i = 0; i < 3 && !interactive; i++) {
		close(fds[i]);
		pthread_create(&streams[i].thread, NULL, forward, &streams[i]);
	}
	do {
		pid = wait(&status);
	} while (pid != child && (pid > 0 || errno == EINTR));

	/*
	 * What the command left behind must not keep the pipes open, and what
	 * even SIGKILL cannot end must not keep us.
	 */
	kill(-1, SIGKILL);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	for (i = 1; i < 3 && !interactive; i++)
		pthread_timedjoin_np(streams[i].thread, NULL, &until);

	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void put(const char *path, const char *s)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, s, strlen(s)) < 0)
		complain("write", path);
	close(fd);
}

/*
 * On the host: the TSC's frequency in kHz. An emulated guest sees the host's
 * TSC, and on a busy host it mistakes its speed by a factor when it measures.
 */
static int print_tsc_khz(void)
{
#ifdef __x86_64__
	struct timespec a, b, pause = { .tv_nsec = 100000000 };
	uint64_t ta, tb, ns;

	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	ta = __builtin_ia32_rdtsc();
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	tb = __builtin_ia32_rdtsc();
	ns = (b.tv_sec - a.tv_sec) * 1000000000ULL + b.tv_nsec - a.tv_nsec;
	printf("%llu\n", (unsigned long long)((tb - ta) * 1e6 / ns));
#endif
	return 0;
}

int main(void)
{
	char status[16];

	if (getpid() != 1)
		return print_tsc_khz();

	signal(SIGPIPE, SIG_IGN);
	make_system();
	read_job();
	make_places();
	if (smear_ns)
		start_smear_timer();
	snprintf(status, sizeof(status), "%d\n", run());
	put("/run/vm/status", status);
	/* no shutdown: nothing is worth it, and what is broken cannot stop it */
	put("/proc/sysrq-trigger", "b");
	for (;;)
		pause();
}
