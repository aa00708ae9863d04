//! Tests of the engine as a whole come with the simulator; here are those of its joints.
