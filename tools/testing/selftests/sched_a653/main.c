// SPDX-License-Identifier: GPL-2.0
/*
 * All tests of SCHED_A653 that need a kernel with it, in one program
 */
#include "lib.h"

int main(int argc, char **argv)
{
	return lib_main(argc, argv);
}
