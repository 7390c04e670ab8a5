//! x
fn main() {
    print!("{}", tenantry::graphql::sdl());
}
