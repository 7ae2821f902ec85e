-- SPDX-License-Identifier: Apache-2.0
-- A life made by the model: processes, threads, handles, jobs and tokens that came and went by chance, zombies, clones, attached
-- threads, freed blocks, and up to three operations that stopped half-way.
live{operations = 300}
clean()
