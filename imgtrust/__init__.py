"""imgtrust answers for a container image: who published it, when, and may it go to production?"""
