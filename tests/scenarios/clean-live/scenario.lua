-- SPDX-License-Identifier: Apache-2.0
-- A life made by the model: processes, threads and handles that came and went by chance, zombies, and a creation that stopped
-- half-way.
live{operations = 300, seed = 11}
clean()
